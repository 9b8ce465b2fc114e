#include "core/text/captions/t5_encoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/aminmax.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/base/by_head.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

// The input follows the weight's dtype.
at::Tensor project(const at::Tensor& input, const at::Tensor& weight) {
  return at::linear(input.to(weight.scalar_type()), weight);
}

// RMS norm without mean subtraction, statistics in fp32.
at::Tensor rms_norm(const at::Tensor& input, const at::Tensor& weight, double eps) {
  const at::Tensor wide = input.to(at::kFloat);
  const at::Tensor normed = wide * at::rsqrt(wide.square().mean(-1, /*keepdim=*/true) + eps);
  return weight * normed.to(weight.scalar_type());
}

// [1, heads, T, T] from the table [buckets, heads].
at::Tensor position_bias(const T5Config& config, const at::Tensor& table, int64_t tokens) {
  std::vector<int64_t> buckets(static_cast<size_t>(tokens * tokens));
  for (int64_t query = 0; query < tokens; ++query) {
    for (int64_t key = 0; key < tokens; ++key) {
      buckets[query * tokens + key] =
          t5_relative_bucket(key - query, config.buckets, config.max_distance);
    }
  }
  const at::Tensor index = at::tensor(buckets, at::kLong).to(table.device());
  return table.index_select(0, index)
      .view({tokens, tokens, config.heads})
      .permute({2, 0, 1})
      .unsqueeze(0)
      .to(at::kFloat);
}

// One layer's names and shapes, looked up once.
struct Layer {
  at::Tensor attention_norm, q, k, v, o, feed_norm, wi_0, wi_1, wo;

  Layer(const T5Config& config, const TensorMap& weights, const std::string& block) {
    const int64_t inner = config.heads * config.d_kv;
    const std::string attention = block + "layer.0.SelfAttention.";
    const std::string feed = block + "layer.1.DenseReluDense.";
    attention_norm = weights.at(block + "layer.0.layer_norm.weight", {config.d_model});
    q = weights.at(attention + "q.weight", {inner, config.d_model});
    k = weights.at(attention + "k.weight", {inner, config.d_model});
    v = weights.at(attention + "v.weight", {inner, config.d_model});
    o = weights.at(attention + "o.weight", {config.d_model, inner});
    feed_norm = weights.at(block + "layer.1.layer_norm.weight", {config.d_model});
    wi_0 = weights.at(feed + "wi_0.weight", {config.d_ff, config.d_model});
    wi_1 = weights.at(feed + "wi_1.weight", {config.d_ff, config.d_model});
    wo = weights.at(feed + "wo.weight", {config.d_model, config.d_ff});
  }
};

at::Tensor self_attention(const T5Config& config,
                          const Layer& layer,
                          const at::Tensor& input,
                          const at::Tensor& bias) {
  const at::Tensor q = by_head(project(input, layer.q), config.heads);
  const at::Tensor k = by_head(project(input, layer.k), config.heads);
  const at::Tensor v = by_head(project(input, layer.v), config.heads);
  const at::Tensor scores = at::matmul(q, k.transpose(2, 3));
  const at::Tensor weights = at::softmax(scores.to(at::kFloat) + bias, -1).to(v.scalar_type());
  const at::Tensor mixed = at::matmul(weights, v).transpose(1, 2);
  return project(mixed.flatten(2), layer.o);
}

at::Tensor feed_forward(const Layer& layer, const at::Tensor& input) {
  const at::Tensor gate = at::gelu(project(input, layer.wi_0), "tanh");
  const bool narrow = layer.wo.scalar_type() == at::kHalf;
  const at::Tensor wo = narrow ? layer.wo.to(at::kFloat) : layer.wo;
  return project(gate * project(input, layer.wi_1), wo);
}

void check_ids(const T5Config& config, const at::Tensor& ids, const at::Tensor& mask) {
  if (ids.dim() != 2 || ids.scalar_type() != at::kLong || mask.sizes() != ids.sizes()) {
    throw Error(ErrorKind::kInput, "T5 encoder: ids and mask must be [B, T], ids int64");
  }
  if (ids.numel() == 0) return;
  const auto [lowest, highest] = at::aminmax(ids);
  if (lowest.item<int64_t>() < 0 || highest.item<int64_t>() >= config.vocabulary) {
    throw Error(ErrorKind::kInput,
                fmt::format("T5 encoder: ids in [{}, {}] but the vocabulary has {} entries",
                            lowest.item<int64_t>(), highest.item<int64_t>(), config.vocabulary));
  }
}

}  // namespace

T5Config published_t5(const std::string& name) {
  static const std::vector<std::pair<std::string, T5Config>> sizes = {
      {"small", {.d_model = 512, .layers = 8, .heads = 6, .d_ff = 1024}},
      {"base", {.d_model = 768, .layers = 12, .heads = 12, .d_ff = 2048}},
      {"large", {.d_model = 1024, .layers = 24, .heads = 16, .d_ff = 2816}},
      {"xl", {.d_model = 2048, .layers = 24, .heads = 32, .d_ff = 5120}},
      {"xxl", {.d_model = 4096, .layers = 24, .heads = 64, .d_ff = 10240}}};
  std::vector<std::string> known;
  for (const char* family : {"flan_t5_", "t5_v1_1_"}) {
    for (const auto& [size, config] : sizes) {
      known.push_back(family + size);
      if (known.back() == name) return config;
    }
  }
  throw Error(ErrorKind::kConfig,
              fmt::format("unknown T5 encoder '{}'. {}", name, suggestion(name, known)));
}

int64_t t5_relative_bucket(int64_t key_minus_query, int64_t buckets, int64_t max_distance) {
  const int64_t half = buckets / 2;
  const int64_t exact = half / 2;
  const int64_t side = key_minus_query > 0 ? half : 0;
  const int64_t distance = std::abs(key_minus_query);
  if (distance < exact) return side + distance;
  // In single precision, as the published encoders were trained.
  const float ratio = std::log(static_cast<float>(distance) / static_cast<float>(exact)) /
                      std::log(static_cast<float>(max_distance) / static_cast<float>(exact));
  const auto logarithmic = static_cast<int64_t>(ratio * static_cast<float>(half - exact));
  return side + std::min(half - 1, exact + logarithmic);
}

at::Tensor t5_encode(const T5Config& config,
                     const TensorMap& weights,
                     const at::Tensor& ids,
                     const at::Tensor& mask,
                     std::string_view prefix) {
  check_ids(config, ids, mask);
  const std::string root(prefix);
  const std::string encoder = root + "encoder.";
  const at::Tensor& table =
      weights.at(encoder + "block.0.layer.0.SelfAttention.relative_attention_bias.weight",
                 {config.buckets, config.heads});
  // A masked key gets the lowest finite score: a row without any real token stays finite.
  const at::Tensor masked = (mask == 0).view({ids.size(0), 1, 1, ids.size(1)});
  const at::Tensor bias = position_bias(config, table, ids.size(1))
                              .masked_fill(masked, std::numeric_limits<float>::lowest());

  at::Tensor hidden =
      at::embedding(weights.at(root + "shared.weight", {config.vocabulary, config.d_model}), ids);
  for (int64_t i = 0; i < config.layers; ++i) {
    const Layer layer(config, weights, fmt::format("{}block.{}.", encoder, i));
    const at::Tensor attended = rms_norm(hidden, layer.attention_norm, config.eps);
    hidden = hidden + self_attention(config, layer, attended, bias);
    const at::Tensor fed = rms_norm(hidden, layer.feed_norm, config.eps);
    hidden = hidden + feed_forward(layer, fed);
  }
  return rms_norm(hidden, weights.at(encoder + "final_layer_norm.weight", {config.d_model}),
                  config.eps);
}

}  // namespace kvscope
