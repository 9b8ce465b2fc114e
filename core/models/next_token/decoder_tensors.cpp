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

std::vector<WeightSpec> decoder_tensors(const DecoderConfig& config, const DecoderNames& names) {
  const int64_t d = config.width;
  const int64_t f = config.feed_forward_width;
  std::vector<WeightSpec> specs;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const auto add = [&](const std::string& name, std::vector<int64_t> shape) {
      specs.push_back({.name = layer_prefix(names, layer) + name, .shape = std::move(shape)});
    };
    const int64_t rows = names.attention.size() == 1 ? 3 * d : d;
    for (const std::string& projection : names.attention) add(projection, {rows, d});
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
    if (qkv.size() == 1) qkv = qkv.front().chunk(3, 0);
    weights.layers.push_back({.attention_norm = get(names.attention_norm),
                              .query = qkv.at(0),
                              .key = qkv.at(1),
                              .value = qkv.at(2),
                              .output = get(names.output),
                              .feed_forward_norm = get(names.feed_forward_norm),
                              .gate = get(names.gate),
                              .up = get(names.up),
                              .down = get(names.down)});
  }
  weights.norm = tensors.at(names.norm);
  return weights;
}

}  // namespace kvscope::next_token
