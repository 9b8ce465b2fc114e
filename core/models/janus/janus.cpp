#include "core/models/janus/janus.h"

#include <ATen/ATen.h>

#include "core/models/janus/prompt.h"
#include "core/models/model_keys.h"
#include "core/models/shared/rotation_tables.h"
#include "kernels/linear/linear.h"

namespace kvscope {
namespace janus {
namespace {

using next_token::ConditionSource;
using next_token::ModelDescription;
using next_token::TensorFunction;

void read(Options& options, ModelDescription& model) {
  read_size(options, "transformer.text_vocabulary", model.condition.text_vocabulary,
            "entries of the text embedding", kOfTransformerSize);
  read_size(options, "transformer.text_max_tokens", model.condition.text_tokens,
            "text tokens of the prefill, chat template included; shorter prompts are padded");
  model.condition.overflow = read_text_overflow(options);
}

std::vector<WeightSpec> tensors_before(const ModelDescription& model) {
  return {{kTextEmbedding, {model.condition.text_vocabulary, model.decoder.width}}};
}

std::vector<WeightSpec> tensors_behind(const ModelDescription& model) {
  const int64_t d = model.decoder.width;
  const int64_t codes = model.vq.codebook_entries;
  return {{kCodeEmbedding, {codes, model.vq.code_width}},
          {"gen_aligner.layers.0.weight", {d, model.vq.code_width}},
          {"gen_aligner.layers.0.bias", {d}},
          {"gen_aligner.layers.2.weight", {d, d}},
          {"gen_aligner.layers.2.bias", {d}},
          {"gen_head.output_mlp_projector.weight", {d, d}},
          {"gen_head.output_mlp_projector.bias", {d}},
          {"gen_head.vision_head.weight", {codes, d}},
          {"gen_head.vision_head.bias", {codes}}};
}

RotationTable rotation(const ModelDescription& model) {
  RotationTable table =
      line_rotation(model.positions(), model.decoder.head_dim(), model.rope_theta);
  table.skips_padding = true;
  return table;
}

next_token::Condition condition(const ConditionSource& source,
                                std::span<const std::string> prompts,
                                std::span<const next_token::ConditionRow> rows) {
  const next_token::ConditionConfig& config = source.model.condition;
  const PromptIds ids =
      source.text.tokenizer
          ? tokenized(*source.text.tokenizer, taken(*source.text.tokenizer, prompts, config))
          : made_up(config, prompts);
  return prompt_condition(config, source.tensors, ids, rows);
}

std::vector<PromptFit> fit_texts(const ModelDescription& model,
                                 const std::string& tokenizer,
                                 std::span<const std::string> texts) {
  std::vector<PromptFit> fits;
  for (const auto& ids : tokenized(BytePairTokenizer::from_file(tokenizer), texts).ids) {
    fits.push_back(
        fit_tokens(std::ssize(ids), model.condition.text_tokens, model.condition.overflow));
  }
  return fits;
}

/// Linear, gelu, linear: layers `first` and `second`.
TensorFunction perceptron(const TensorMap& tensors,
                          const std::string& first,
                          const std::string& second) {
  return [w1 = tensors.at(first + ".weight"), b1 = tensors.at(first + ".bias"),
          w2 = tensors.at(second + ".weight"),
          b2 = tensors.at(second + ".bias")](const at::Tensor& x) {
    return linear_layer(linear_layer(x, w1, b1, Activation::kGelu), w2, b2);
  };
}

TensorFunction embed(const TensorMap& tensors) {
  return [codes = tensors.at(kCodeEmbedding),
          align = perceptron(tensors, "gen_aligner.layers.0", "gen_aligner.layers.2")](
             const at::Tensor& ids) { return align(codes.index_select(0, ids)); };
}

TensorFunction head(const TensorMap& tensors) {
  return perceptron(tensors, "gen_head.output_mlp_projector", "gen_head.vision_head");
}

}  // namespace

const next_token::NextTokenFamily& family() {
  static const next_token::NextTokenFamily janus{
      .title = "Janus",
      .sizes = {{"janus_pro_1b", 24, 16, 2048, 5632}, {"janus_pro_7b", 30, 32, 4096, 11008}},
      .defaults = {.condition = {.kind = next_token::ConditionKind::kTokens,
                                 .text_tokens = 64,
                                 .text_vocabulary = 102400}},
      .names = {.transformer = "Janus' text-to-image path",
                .decoder = next_token::llama_names("language_model.model."),
                .head = "gen_head.vision_head.weight",
                .vq = "gen_vision_model.",
                .vq_in_model = true,
                .other_prefixes = {{"language_model.model.", "model.language_model."},
                                   {"language_model.lm_head.", "lm_head."},
                                   {"gen_embed.", "model.generation_embeddings."},
                                   {"gen_aligner.layers.0.", "model.generation_aligner.fc1."},
                                   {"gen_aligner.layers.2.",
                                    "model.generation_aligner.hidden_layers.0."},
                                   {"gen_head.output_mlp_projector.",
                                    "model.generation_head.proj_out."},
                                   {"gen_head.vision_head.", "model.generation_head.vision_head."},
                                   {"gen_vision_model.", "model.vqmodel."}},
                .unneeded = {"vision_model.", "aligner.", "language_model.lm_head."},
                .kept_as_stored = {kTextEmbedding},
                .embeddings = {kCodeEmbedding},
                .code_embedding = kCodeEmbedding},
      .rounding = PixelRounding::kTruncate,
      .read = read,
      .tensors_before = tensors_before,
      .tensors_behind = tensors_behind,
      .rotation = rotation,
      .condition = condition,
      .fit_texts = fit_texts,
      .embed = embed,
      .head = head};
  return janus;
}

}  // namespace janus

ModelFamily family_janus() {
  return next_token::model_family(janus::family());
}

}  // namespace kvscope
