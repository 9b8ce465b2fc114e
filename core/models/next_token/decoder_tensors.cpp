#include "core/models/next_token/decoder_tensors.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cstdint>
#include <utility>

namespace kvscope::next_token {
namespace {

std::string layer_prefix(const DecoderNames& names, int64_t layer) {
  return fmt::format("{}{}.", names.layers, layer);
}

}  // namespace

DecoderNames llama_names(const std::string& prefix) {
  return {.layers = prefix + "layers.",
          .attention = {"self_attn.q_proj.weight", "self_attn.k_proj.weight",
                        "self_attn.v_proj.weight"},
          .output = "self_attn.o_proj.weight",
          .gate = "mlp.gate_proj.weight",
          .up = "mlp.up_proj.weight",
          .down = "mlp.down_proj.weight",
          .attention_norm = "input_layernorm.weight",
          .feed_forward_norm = "post_attention_layernorm.weight",
          .norm = prefix + "norm.weight",
          .query_norm = "self_attn.q_norm",
          .key_norm = "self_attn.k_norm"};
}

std::vector<WeightSpec> decoder_tensors(const DecoderConfig& config, const DecoderNames& names) {
  const int64_t d = config.width;
  const int64_t f = config.feed_forward_width;
  std::vector<WeightSpec> specs;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const auto add = [&](const std::string& name, std::vector<int64_t> shape) {
      specs.push_back({.name = layer_prefix(names, layer) + name, .shape = std::move(shape)});
    };
    std::vector<int64_t> rows{d, config.key_width(), config.key_width()};
    if (names.attention.size() == 1) rows = {d + 2 * config.key_width()};
    for (size_t i = 0; i < rows.size(); ++i) add(names.attention.at(i), {rows[i], d});
    if (config.query_key_norm) {
      for (const char* part : {".weight", ".bias"}) {
        add(names.query_norm + part, {config.query_key_norm->query_rows, config.head_dim()});
        add(names.key_norm + part, {config.query_key_norm->key_rows, config.head_dim()});
      }
    }
    add(names.output, {d, d});
    add(names.gate, {f, d});
    add(names.up, {f, d});
    add(names.down, {d, f});
    add(names.attention_norm, {d});
    add(names.feed_forward_norm, {d});
  }
  specs.push_back({.name = names.norm, .shape = {d}});
  return specs;
}

DecoderWeights decoder_weights(const DecoderConfig& config,
                               const DecoderNames& names,
                               const TensorMap& tensors) {
  DecoderWeights weights;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const auto get = [&](const std::string& name) {
      return tensors.at(layer_prefix(names, layer) + name);
    };
    std::vector<at::Tensor> qkv;
    for (const std::string& projection : names.attention) qkv.push_back(get(projection));
    if (qkv.size() == 1) {
      qkv = qkv.front().split_with_sizes({config.width, config.key_width(), config.key_width()});
    }
    weights.layers.push_back({.attention_norm = get(names.attention_norm),
                              .query = qkv.at(0),
                              .output = get(names.output),
                              .key = qkv.at(1),
                              .value = qkv.at(2),
                              .feed_forward_norm = get(names.feed_forward_norm),
                              .gate = get(names.gate),
                              .up = get(names.up),
                              .down = get(names.down)});
    if (!config.query_key_norm) continue;
    LayerWeights& w = weights.layers.back();
    w.query_norm = get(names.query_norm + ".weight");
    w.query_norm_bias = get(names.query_norm + ".bias");
    w.key_norm = get(names.key_norm + ".weight");
    w.key_norm_bias = get(names.key_norm + ".bias");
  }
  weights.norm = tensors.at(names.norm);
  return weights;
}

}  // namespace kvscope::next_token
