#include "core/models/llamagen/weights.h"

#include <ATen/ATen.h>

#include <string>
#include <utility>

#include "core/models/next_token/decoder_tensors.h"

namespace kvscope::llamagen {
namespace {

constexpr const char* kNoCaption = "cls_embedding.uncond_embedding";

next_token::DecoderNames decoder_names() {
  return {.layers = "layers.",
          .attention = {"attention.wqkv.weight"},
          .output = "attention.wo.weight",
          .gate = "feed_forward.w1.weight",
          .up = "feed_forward.w3.weight",
          .down = "feed_forward.w2.weight",
          .attention_norm = "attention_norm.weight",
          .feed_forward_norm = "ffn_norm.weight",
          .norm = "norm.weight"};
}

}  // namespace

std::vector<WeightSpec> llamagen_tensors(const LlamaGenConfig& config) {
  config.check();
  const int64_t d = config.decoder.width;
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
  for (WeightSpec& spec : next_token::decoder_tensors(config.decoder, decoder_names())) {
    add(spec.name, std::move(spec.shape));
  }
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
  LlamaGenWeights w;
  w.decoder = next_token::decoder_weights(config.decoder, decoder_names(), found);
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
