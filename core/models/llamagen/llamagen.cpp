#include "core/models/llamagen/llamagen.h"

#include <ATen/ATen.h>

#include <initializer_list>

#include "core/models/llamagen/caption.h"
#include "core/models/model_keys.h"
#include "core/models/shared/rotation_tables.h"
#include "kernels/linear/linear.h"

namespace kvscope {
namespace llamagen {
namespace {

using next_token::ConditionKind;
using next_token::ConditionSource;
using next_token::ModelDescription;
using next_token::TensorFunction;

void read(Options& options, ModelDescription& model) {
  if (model.decoder.feed_forward_width == 0) {
    model.decoder.feed_forward_width = feed_forward_width(model.decoder.width);
  }
  model.text_weights =
      read_file(options, "text_weights", "text encoder's file; null: in `weights`");
  next_token::ConditionConfig& condition = model.condition;
  const std::string kind = options.word({.key = "transformer.conditioning",
                                         .default_value = "class",
                                         .allowed = {"class", "text"},
                                         .help = "what an image is made of"});
  condition.kind = kind == "text" ? ConditionKind::kFeatures : ConditionKind::kClass;
  read_size(options, "transformer.classes", condition.classes, "labels, without the null class");
  read_size(options, "transformer.text_channels", condition.text_channels,
            "channels of the text features");
  read_size(options, "transformer.text_max_tokens", condition.text_tokens,
            "longest prompt in text tokens");
  model.cfg_interval =
      options.integer({.key = "cfg_interval",
                       .default_value = model.cfg_interval,
                       .min = -1,
                       .help = "guidance stops behind this token, counted from 0 at the second; "
                               "-1: never"});
  read_flag(options, "text.clean", condition.clean_captions,
            "clean captions as LlamaGen does before they are tokenized");
  condition.text_encoder = read_text_encoder(options);
  condition.overflow = read_text_overflow(options);
  const auto unused = [&](std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
      options.unused(key, "model.transformer.conditioning is " + kind, WrittenIn::kOverride);
    }
  };
  if (condition.kind == ConditionKind::kFeatures) {
    unused({"transformer.classes"});
  } else {
    unused({"transformer.text_channels", "transformer.text_max_tokens", "text_weights",
            "text.clean", "text.overflow"});
  }
}

// The learned features of "no caption" are a buffer there, and a row's cache is a multiple of 8.
void correct_facts(const ModelDescription& model, ModelFacts& facts) {
  const next_token::ConditionConfig& condition = model.condition;
  if (condition.kind == ConditionKind::kFeatures) {
    facts.parameters -= condition.text_tokens * condition.text_channels;
  }
  facts.published_slots = (model.positions() + 7) / 8 * 8;
}

std::vector<WeightSpec> tensors_before(const ModelDescription& model) {
  const int64_t d = model.decoder.width;
  const next_token::ConditionConfig& condition = model.condition;
  std::vector<WeightSpec> specs;
  if (condition.kind == ConditionKind::kClass) {
    specs = {{kClassEmbedding, {condition.classes + 1, d}}};
  } else {
    specs = {{kNoCaption, {condition.text_tokens, condition.text_channels}},
             {"cls_embedding.cap_proj.fc1.weight", {d, condition.text_channels}},
             {"cls_embedding.cap_proj.fc2.weight", {d, d}}};
  }
  specs.push_back({"tok_embeddings.weight", {model.vq.codebook_entries, d}});
  return specs;
}

std::vector<WeightSpec> tensors_behind(const ModelDescription& model) {
  return {{"output.weight", {model.vq.codebook_entries, model.decoder.width}}};
}

RotationTable rotation(const ModelDescription& model) {
  return grid_rotation(model.condition.tokens(), model.grid_height, model.grid_width,
                       model.decoder.head_dim(), model.rope_theta);
}

next_token::Condition condition(const ConditionSource& source,
                                std::span<const std::string> prompts,
                                std::span<const next_token::ConditionRow> rows) {
  const next_token::ConditionConfig& config = source.model.condition;
  if (config.kind == ConditionKind::kClass) {
    return next_token::class_condition(source.tensors.at(kClassEmbedding),
                                       next_token::classes_of_prompts(prompts, config.classes),
                                       rows);
  }
  const CaptionFeatures captions =
      source.text.captions->encode(cleaned(prompts, config.clean_captions));
  return caption_condition(source.tensors, captions, rows);
}

std::vector<PromptFit> fit_texts(const ModelDescription& model,
                                 const std::string& tokenizer,
                                 std::span<const std::string> texts) {
  const next_token::ConditionConfig& config = model.condition;
  return fit_captions(tokenizer, cleaned(texts, config.clean_captions), config.text_tokens,
                      config.overflow);
}

TensorFunction embed(const TensorMap& tensors) {
  return [table = tensors.at("tok_embeddings.weight")](const at::Tensor& ids) {
    return table.index_select(0, ids);
  };
}

TensorFunction head(const TensorMap& tensors) {
  return [output = tensors.at("output.weight")](const at::Tensor& hidden) {
    return linear_layer(hidden, output).to(at::kFloat);
  };
}

next_token::PublishedSize size(const char* name, int64_t layers, int64_t heads, int64_t width) {
  return {name, layers, heads, width, feed_forward_width(width)};
}

}  // namespace

int64_t feed_forward_width(int64_t width) {
  return (8 * width / 3 + 255) / 256 * 256;
}

const next_token::NextTokenFamily& family() {
  static const next_token::NextTokenFamily llamagen{
      .title = "LlamaGen",
      .sizes = {size("llamagen_b", 12, 12, 768), size("llamagen_l", 24, 16, 1024),
                size("llamagen_xl", 36, 20, 1280), size("llamagen_xxl", 48, 24, 1536),
                size("llamagen_3b", 24, 32, 3200),
                // Never released.
                size("llamagen_1b", 22, 32, 2048), size("llamagen_xxxl", 48, 40, 2560),
                size("llamagen_7b", 32, 32, 4096)},
      .defaults = {.decoder = {.norm_epsilon = 1e-5}, .condition = {.text_tokens = 120}},
      .names = {.transformer = "the LlamaGen transformer",
                .decoder = {.layers = "layers.",
                            .attention = {"attention.wqkv.weight"},
                            .output = "attention.wo.weight",
                            .gate = "feed_forward.w1.weight",
                            .up = "feed_forward.w3.weight",
                            .down = "feed_forward.w2.weight",
                            .attention_norm = "attention_norm.weight",
                            .feed_forward_norm = "ffn_norm.weight",
                            .norm = "norm.weight"},
                .head = "output.weight",
                .embeddings = {kClassEmbedding, kNoCaption, "tok_embeddings.weight"}},
      .head_dim_multiple = 4,
      .rounding = PixelRounding::kNearest,
      .read = read,
      .correct_facts = correct_facts,
      .tensors_before = tensors_before,
      .tensors_behind = tensors_behind,
      .rotation = rotation,
      .condition = condition,
      .fit_texts = fit_texts,
      .embed = embed,
      .head = head};
  return llamagen;
}

}  // namespace llamagen

ModelFamily family_llamagen() {
  return next_token::model_family(llamagen::family());
}

}  // namespace kvscope
