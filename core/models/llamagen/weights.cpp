#include "core/models/llamagen/weights.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <string>

namespace kvscope::llamagen {
namespace {

constexpr const char* kNoCaption = "cls_embedding.uncond_embedding";

std::string layer_prefix(int64_t layer) {
  return fmt::format("layers.{}.", layer);
}

}  // namespace

std::vector<WeightSpec> llamagen_tensors(const LlamaGenConfig& config) {
  config.check();
  const int64_t d = config.decoder.width;
  const int64_t f = config.decoder.feed_forward_width;
  std::vector<WeightSpec> specs;
  const auto add = [&](const std::string& name, std::vector<int64_t> shape) {
    specs.push_back({.name = name, .shape = std::move(shape), .part = "model."});
  };
  if (config.conditioning == Conditioning::kClass) {
    add("cls_embedding.embedding_table.weight", {config.classes + 1, d});
  } else {
    add(kNoCaption, {config.caption_tokens, config.caption_channels});
    add("cls_embedding.cap_proj.fc1.weight", {d, config.caption_channels});
    add("cls_embedding.cap_proj.fc2.weight", {d, d});
  }
  add("tok_embeddings.weight", {config.image_vocabulary, d});
  for (int64_t layer = 0; layer < config.decoder.layers; ++layer) {
    const std::string p = layer_prefix(layer);
    add(p + "attention.wqkv.weight", {3 * d, d});
    add(p + "attention.wo.weight", {d, d});
    add(p + "feed_forward.w1.weight", {f, d});
    add(p + "feed_forward.w3.weight", {f, d});
    add(p + "feed_forward.w2.weight", {d, f});
    add(p + "attention_norm.weight", {d});
    add(p + "ffn_norm.weight", {d});
  }
  add("norm.weight", {d});
  add("output.weight", {config.image_vocabulary, d});
  return specs;
}

int64_t llamagen_parameters(const LlamaGenConfig& config) {
  const bool text = config.conditioning == Conditioning::kText;
  return parameter_count(llamagen_tensors(config)) -
         (text ? config.caption_tokens * config.caption_channels : 0);
}

LlamaGenWeights resolve_llamagen(const LlamaGenConfig& config, const TensorMap& tensors) {
  const TensorMap found = resolve_weights(
      llamagen_tensors(config), tensors,
      [](const std::string& name) { return std::vector<std::string>{name}; },
      "the LlamaGen transformer");
  const int64_t d = config.decoder.width;
  LlamaGenWeights w;
  for (int64_t layer = 0; layer < config.decoder.layers; ++layer) {
    const std::string p = layer_prefix(layer);
    const at::Tensor qkv = found.at(p + "attention.wqkv.weight");  // rows q | k | v
    w.decoder.layers.push_back({.attention_norm = found.at(p + "attention_norm.weight"),
                                .query = qkv.narrow(0, 0, d),
                                .key = qkv.narrow(0, d, d),
                                .value = qkv.narrow(0, 2 * d, d),
                                .output = found.at(p + "attention.wo.weight"),
                                .feed_forward_norm = found.at(p + "ffn_norm.weight"),
                                .gate = found.at(p + "feed_forward.w1.weight"),
                                .up = found.at(p + "feed_forward.w3.weight"),
                                .down = found.at(p + "feed_forward.w2.weight")});
  }
  w.decoder.norm = found.at("norm.weight");
  w.token_embedding = found.at("tok_embeddings.weight");
  w.output = found.at("output.weight");
  if (config.conditioning == Conditioning::kClass) {
    w.class_embedding = found.at("cls_embedding.embedding_table.weight");
  } else {
    w.no_caption = found.at(kNoCaption);
    w.caption1 = found.at("cls_embedding.cap_proj.fc1.weight");
    w.caption2 = found.at("cls_embedding.cap_proj.fc2.weight");
  }
  return w;
}

next_token::NextTokenModel make_model(const LlamaGenConfig& config,
                                      const LlamaGenWeights& weights) {
  next_token::NextTokenModel model;
  model.config = config.decoder;
  model.weights = weights.decoder;
  model.rotation = on_device(
      next_token::grid_rotation(config.condition_tokens(), config.grid_height, config.grid_width,
                                config.decoder.head_dim(), config.rope_theta),
      weights.output.device());
  model.embed = [table = weights.token_embedding](const at::Tensor& ids) {
    return table.index_select(0, ids);
  };
  model.head = [output = weights.output](const at::Tensor& hidden) {
    return at::linear(hidden, output).to(at::kFloat);
  };
  return model;
}

}  // namespace kvscope::llamagen
