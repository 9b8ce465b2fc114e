#include "core/models/janus/weights.h"

#include <ATen/ATen.h>

#include <array>
#include <string_view>
#include <utility>

#include "core/models/next_token/decoder_tensors.h"

namespace kvscope::janus {
namespace {

constexpr std::string_view kTextEmbedding = "language_model.model.embed_tokens.weight";

// Published prefix -> native one.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kNativePrefixes = {{
    {"language_model.model.", "model.language_model."},
    {"language_model.lm_head.", "lm_head."},
    {"gen_embed.", "model.generation_embeddings."},
    {"gen_aligner.layers.0.", "model.generation_aligner.fc1."},
    {"gen_aligner.layers.2.", "model.generation_aligner.hidden_layers.0."},
    {"gen_head.output_mlp_projector.", "model.generation_head.proj_out."},
    {"gen_head.vision_head.", "model.generation_head.vision_head."},
    {"gen_vision_model.", "model.vqmodel."},
}};

next_token::DecoderNames decoder_names() {
  return next_token::llama_names("language_model.model.");
}

}  // namespace

std::vector<WeightSpec> janus_tensors(const JanusConfig& config) {
  config.check();
  const int64_t d = config.decoder.width;
  std::vector<WeightSpec> specs;
  const auto add = [&](const std::string& name, std::vector<int64_t> shape) {
    specs.push_back({.name = name,
                     .shape = std::move(shape),
                     .part = "model.",
                     .other_names = {hugging_face_name(name)}});
  };
  add(std::string(kTextEmbedding), {config.text_vocabulary, d});
  for (WeightSpec& spec : next_token::decoder_tensors(config.decoder, decoder_names())) {
    add(spec.name, std::move(spec.shape));
  }
  add("gen_embed.weight", {config.image_vocabulary, config.code_width});
  add("gen_aligner.layers.0.weight", {d, config.code_width});
  add("gen_aligner.layers.0.bias", {d});
  add("gen_aligner.layers.2.weight", {d, d});
  add("gen_aligner.layers.2.bias", {d});
  add("gen_head.output_mlp_projector.weight", {d, d});
  add("gen_head.output_mlp_projector.bias", {d});
  add("gen_head.vision_head.weight", {config.image_vocabulary, d});
  add("gen_head.vision_head.bias", {config.image_vocabulary});
  return specs;
}

std::string hugging_face_name(const std::string& published) {
  for (const auto& [from, to] : kNativePrefixes) {
    if (published.starts_with(from)) return std::string(to) + published.substr(from.size());
  }
  return published;
}

TensorMap published_names(const TensorMap& checkpoint) {
  if (checkpoint.contains(kTextEmbedding)) return checkpoint;
  if (checkpoint.contains("model." + std::string(kTextEmbedding))) {
    return checkpoint.below("model.");
  }
  if (!checkpoint.contains(hugging_face_name(std::string(kTextEmbedding)))) return checkpoint;
  TensorMap result;
  for (const auto& [name, tensor] : checkpoint) {
    std::string published = name;
    for (const auto& [to, from] : kNativePrefixes) {
      if (!name.starts_with(from)) continue;
      published = std::string(to) + name.substr(from.size());
      break;
    }
    result.set(published, tensor);
  }
  return result;
}

JanusWeights resolve_janus(const JanusConfig& config, const TensorMap& tensors) {
  const TensorMap found = resolve_weights(
      janus_tensors(config), tensors,
      [](const std::string& name) { return std::vector<std::string>{name}; },
      "Janus' text-to-image path");
  JanusWeights w;
  w.text_embedding = found.at(kTextEmbedding);
  w.decoder = next_token::decoder_weights(config.decoder, decoder_names(), found);
  w.image_embedding = found.at("gen_embed.weight");
  w.aligner_weight = found.at("gen_aligner.layers.0.weight");
  w.aligner_bias = found.at("gen_aligner.layers.0.bias");
  w.aligner_out_weight = found.at("gen_aligner.layers.2.weight");
  w.aligner_out_bias = found.at("gen_aligner.layers.2.bias");
  w.head_weight = found.at("gen_head.output_mlp_projector.weight");
  w.head_bias = found.at("gen_head.output_mlp_projector.bias");
  w.head_out_weight = found.at("gen_head.vision_head.weight");
  w.head_out_bias = found.at("gen_head.vision_head.bias");
  return w;
}

next_token::NextTokenModel make_model(const JanusConfig& config, const JanusWeights& weights) {
  next_token::NextTokenModel model;
  model.config = config.decoder;
  model.weights = weights.decoder;
  model.rotation =
      on_device(next_token::line_rotation(config.prompt_tokens + config.image_tokens,
                                          config.decoder.head_dim(), config.rope_theta),
                weights.image_embedding.device());
  model.positions_skip_padding = true;
  model.embed = [w = weights](const at::Tensor& ids) {
    const at::Tensor codes = w.image_embedding.index_select(0, ids);
    const at::Tensor hidden = at::gelu(at::linear(codes, w.aligner_weight, w.aligner_bias));
    return at::linear(hidden, w.aligner_out_weight, w.aligner_out_bias);
  };
  model.head = [w = weights](const at::Tensor& x) {
    const at::Tensor hidden = at::gelu(at::linear(x, w.head_weight, w.head_bias));
    return at::linear(hidden, w.head_out_weight, w.head_out_bias);
  };
  return model;
}

}  // namespace kvscope::janus
