#include "core/models/var/weights.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

namespace kvscope::var {
namespace {

int64_t token_count(const ScaleSchedule& schedule) {
  int64_t tokens = 0;
  for (const auto& [height, width] : schedule) tokens += height * width;
  return tokens;
}

void linear(std::vector<WeightSpec>& specs, const std::string& name, int64_t in, int64_t out) {
  specs.push_back({.name = name + ".weight", .shape = {out, in}, .part = "model."});
  specs.push_back({.name = name + ".bias", .shape = {out}, .part = "model."});
}

void block_tensors(const TransformerConfig& config, int64_t layer, std::vector<WeightSpec>& specs) {
  const int64_t c = config.width;
  const std::string p = fmt::format("blocks.{}.", layer);
  const auto add = [&](const char* name, std::vector<int64_t> shape, bool buffer = false) {
    specs.push_back(
        {.name = p + name, .shape = std::move(shape), .buffer = buffer, .part = "model."});
  };
  if (config.shared_ada_lin) add("ada_gss", {1, 1, 6, c});
  add("attn.scale_mul_1H11", {1, config.heads, 1, 1});
  add("attn.q_bias", {c});
  add("attn.v_bias", {c});
  add("attn.zero_k_bias", {c}, true);
  add("attn.mat_qkv.weight", {3 * c, c});
  linear(specs, p + "attn.proj", c, c);
  linear(specs, p + "ffn.fc1", c, config.ffn_width());
  linear(specs, p + "ffn.fc2", config.ffn_width(), c);
  if (!config.shared_ada_lin) linear(specs, p + "ada_lin.1", c, 6 * c);
}

}  // namespace

std::vector<WeightSpec> transformer_tensors(const TransformerConfig& config,
                                            const ScaleSchedule& schedule) {
  config.check();
  const int64_t c = config.width;
  const int64_t tokens = token_count(schedule);
  const int64_t first = schedule.front().first * schedule.front().second;
  std::vector<WeightSpec> specs;
  const auto add = [&](const char* name, std::vector<int64_t> shape, bool buffer = false) {
    specs.push_back({.name = name, .shape = std::move(shape), .buffer = buffer, .part = "model."});
  };
  add("pos_start", {1, first, c});
  add("pos_1LC", {1, tokens, c});
  add("lvl_1L", {1, tokens}, true);
  add("attn_bias_for_masking", {1, 1, tokens, tokens}, true);
  linear(specs, "word_embed", config.code_width, c);
  add("class_emb.weight", {config.classes + 1, c});
  add("lvl_embed.weight", {static_cast<int64_t>(schedule.size()), c});
  if (config.shared_ada_lin) linear(specs, "shared_ada_lin.1", c, 6 * c);
  for (int64_t layer = 0; layer < config.depth; ++layer) block_tensors(config, layer, specs);
  linear(specs, "head_nm.ada_lin.1", c, 2 * c);
  linear(specs, "head", c, config.codes);
  return specs;
}

TransformerWeights resolve_transformer(const TransformerConfig& config,
                                       const ScaleSchedule& schedule,
                                       const TensorMap& tensors,
                                       const std::string& prefix) {
  const TensorMap found = resolve_weights(
      transformer_tensors(config, schedule), tensors,
      [&](const std::string& name) { return std::vector<std::string>{prefix + name}; },
      "the VAR transformer");
  const auto get = [&found](const std::string& name) {
    return found.contains(name) ? found.at(name) : at::Tensor();  // one kind of adaLN has the other
  };
  TransformerWeights w;
  read_transformer_weights(get, w);
  w.positions = found.at("pos_1LC");
  w.classes = found.at("class_emb.weight");
  for (int64_t layer = 0; layer < config.depth; ++layer) {
    const std::string name = fmt::format("blocks.{}.", layer);
    read_block_weights(get, name, "attn.", config.heads, w.blocks.emplace_back());
  }
  return w;
}

TensorMap random_transformer(const TransformerConfig& config,
                             const ScaleSchedule& schedule,
                             at::Generator generator) {
  const double base = std::sqrt(1.0 / (3.0 * static_cast<double>(config.width)));
  const double residual = base / std::sqrt(2.0 * static_cast<double>(config.depth));
  TensorMap tensors;
  for (const WeightSpec& spec : transformer_tensors(config, schedule)) {
    if (spec.buffer) continue;
    at::Tensor tensor = at::zeros(spec.shape, at::kFloat);
    const auto ends = [&](std::string_view tail) { return spec.name.ends_with(tail); };
    if (ends("scale_mul_1H11")) {
      tensor.fill_(std::log(4.0));  // attention neither flat nor hard
    } else if (ends("ada_gss")) {
      tensor.normal_(0, 0.02, generator);
      tensor.narrow(2, 0, 2).add_(0.5);  // gates gamma1, gamma2 open
    } else if (ends("ada_lin.1.bias") && spec.shape[0] == 6 * config.width &&
               !config.shared_ada_lin) {
      tensor.narrow(0, 0, 2 * config.width).fill_(0.5);  // likewise
    } else if (ends("ada_lin.1.weight")) {
      tensor.normal_(0, base * 0.1, generator);
    } else if (ends("proj.weight") || ends("fc2.weight")) {
      tensor.normal_(0, residual, generator);
    } else if (ends("word_embed.weight")) {
      tensor.normal_(0, 1.0 / std::sqrt(static_cast<double>(config.code_width)), generator);
    } else if (!ends("bias")) {
      tensor.normal_(0, base, generator);
    }
    tensors.set(spec.name, tensor);
  }
  return tensors;
}

}  // namespace kvscope::var
