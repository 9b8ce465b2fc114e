#include "core/models/infinity/weights.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <set>

#include "core/base/error.h"

namespace kvscope::infinity {
namespace {

std::string block_prefix(const TransformerConfig& config, int64_t layer) {
  const int64_t per_chunk = config.depth / config.chunks;
  return fmt::format("block_chunks.{}.module.{}.", layer / per_chunk, layer % per_chunk);
}

void block_tensors(const TransformerConfig& config, int64_t layer, std::vector<TensorSpec>& specs) {
  const int64_t c = config.width;
  const int64_t m = config.ffn_width();
  const std::string p = block_prefix(config, layer);
  if (config.shared_ada_lin) {
    specs.push_back({p + "ada_gss", {1, 1, 6, c}});
  } else {
    specs.push_back({p + "ada_lin.1.weight", {6 * c, c}});
    specs.push_back({p + "ada_lin.1.bias", {6 * c}});
  }
  specs.push_back({p + "sa.scale_mul_1H11", {1, config.heads, 1, 1}});
  specs.push_back({p + "sa.q_bias", {c}});
  specs.push_back({p + "sa.v_bias", {c}});
  specs.push_back({p + "sa.zero_k_bias", {c}, true});
  specs.push_back({p + "sa.mat_qkv.weight", {3 * c, c}});
  specs.push_back({p + "sa.proj.weight", {c, c}});
  specs.push_back({p + "sa.proj.bias", {c}});
  specs.push_back({p + "ca.v_bias", {c}});
  specs.push_back({p + "ca.zero_k_bias", {c}, true});
  specs.push_back({p + "ca.mat_q.weight", {c, c}});
  specs.push_back({p + "ca.mat_q.bias", {c}});
  specs.push_back({p + "ca.mat_kv.weight", {2 * c, c}});
  specs.push_back({p + "ca.proj.weight", {c, c}});
  specs.push_back({p + "ca.proj.bias", {c}});
  if (config.swiglu) {
    const int64_t hidden =
        static_cast<int64_t>(std::nearbyint(2.0 * static_cast<double>(m) / 3 / 256)) * 256;
    specs.push_back({p + "ffn.fcg.weight", {hidden, c}});
    specs.push_back({p + "ffn.fc1.weight", {hidden, c}});
    specs.push_back({p + "ffn.fc2.weight", {c, hidden}});
  } else {
    specs.push_back({p + "ffn.fc1.weight", {m, c}});
    specs.push_back({p + "ffn.fc1.bias", {m}});
    specs.push_back({p + "ffn.fc2.weight", {c, m}});
    specs.push_back({p + "ffn.fc2.bias", {c}});
  }
  specs.push_back({p + "ca_norm.weight", {c}});
  specs.push_back({p + "ca_norm.bias", {c}});
}

// The name as the file has it: one-chunk models are called blocks.{n} in some checkpoints.
std::string name_in(const TensorMap& tensors, const std::string& prefix, const std::string& name) {
  constexpr std::string_view kOneChunk = "block_chunks.0.module.";
  if (!tensors.contains(prefix + name) && name.starts_with(kOneChunk)) {
    std::string other = prefix + "blocks." + name.substr(kOneChunk.size());
    if (tensors.contains(other)) return other;
  }
  return prefix + name;
}

bool shape_fits(const TensorSpec& spec, const at::Tensor& tensor) {
  if (spec.name.ends_with("scale_mul_1H11")) return tensor.numel() == spec.shape[1];
  if (spec.name == "cfg_uncond") return tensor.dim() == 2 && tensor.size(1) == spec.shape[1];
  return tensor.sizes() == at::IntArrayRef(spec.shape);
}

}  // namespace

std::vector<TensorSpec> transformer_tensors(const TransformerConfig& config) {
  config.check();
  const int64_t c = config.width;
  const int64_t text = config.text_channels;
  const int64_t pool = config.pool_heads();
  std::vector<TensorSpec> specs = {
      {"cfg_uncond", {config.text_max_tokens, text}},
      {"pos_start", {1, 1, c}},
      {"text_norm.weight", {text}},
      {"text_proj_for_sos.ca.mat_q", {1, pool, c / pool}},
      {"text_proj_for_sos.ca.v_bias", {c}},
      {"text_proj_for_sos.ca.zero_k_bias", {c}, true},
      {"text_proj_for_sos.ca.mat_kv.weight", {2 * c, text}},
      {"text_proj_for_sos.ca.proj.weight", {c, c}},
      {"text_proj_for_sos.ca.proj.bias", {c}},
      {"text_proj_for_ca.0.weight", {c, text}},
      {"text_proj_for_ca.0.bias", {c}},
      {"text_proj_for_ca.2.weight", {c, c}},
      {"text_proj_for_ca.2.bias", {c}},
      {"lvl_embed.weight", {config.level_rows, c}},
      {"word_embed.weight", {c, config.token_bits()}},
      {"word_embed.bias", {c}},
  };
  if (config.shared_ada_lin) {
    specs.push_back({"shared_ada_lin.1.weight", {6 * c, c}});
    specs.push_back({"shared_ada_lin.1.bias", {6 * c}});
  }
  specs.push_back({"head_nm.ada_lin.1.weight", {2 * c, c}});
  specs.push_back({"head_nm.ada_lin.1.bias", {2 * c}});
  specs.push_back({"head.weight", {2 * config.token_bits(), c}});
  specs.push_back({"head.bias", {2 * config.token_bits()}});
  for (int64_t layer = 0; layer < config.depth; ++layer) block_tensors(config, layer, specs);
  return specs;
}

TensorMap published_transformer_tensors(const TransformerConfig& config,
                                        const TensorMap& tensors,
                                        const std::string& prefix) {
  std::string problems;
  TensorMap found;
  for (const TensorSpec& spec : transformer_tensors(config)) {
    if (spec.buffer) continue;  // zeros by definition
    const std::string name = name_in(tensors, prefix, spec.name);
    if (!tensors.contains(name)) {
      problems += fmt::format("\n  missing '{}' {}", name, spec.shape);
      continue;
    }
    const at::Tensor& tensor = tensors.at(name);
    if (!shape_fits(spec, tensor)) {
      problems += fmt::format("\n  '{}' has shape {}, expected {}", name,
                              std::vector<int64_t>(tensor.sizes().begin(), tensor.sizes().end()),
                              spec.shape);
      continue;
    }
    found.set(spec.name, tensor);
  }
  if (!problems.empty()) {
    throw Error(ErrorKind::kInput, "checkpoint does not fit the Infinity transformer:" + problems);
  }
  return found;
}

TransformerWeights resolve_transformer(const TransformerConfig& config,
                                       const TensorMap& tensors,
                                       const std::string& prefix) {
  const TensorMap found = published_transformer_tensors(config, tensors, prefix);
  const auto get = [&](const std::string& name) {
    return found.contains(name) ? found.at(name) : at::Tensor();
  };
  TransformerWeights w;
  read_transformer_weights(get, w);
  w.cfg_uncond = get("cfg_uncond");
  w.text_norm = get("text_norm.weight");
  w.pool_query = get("text_proj_for_sos.ca.mat_q");
  w.pool_v_bias = get("text_proj_for_sos.ca.v_bias");
  w.pool_kv_weight = get("text_proj_for_sos.ca.mat_kv.weight");
  w.pool_proj_weight = get("text_proj_for_sos.ca.proj.weight");
  w.pool_proj_bias = get("text_proj_for_sos.ca.proj.bias");
  w.context1_weight = get("text_proj_for_ca.0.weight");
  w.context1_bias = get("text_proj_for_ca.0.bias");
  w.context2_weight = get("text_proj_for_ca.2.weight");
  w.context2_bias = get("text_proj_for_ca.2.bias");
  for (int64_t layer = 0; layer < config.depth; ++layer) {
    const std::string p = block_prefix(config, layer);
    BlockWeights b;
    read_block_weights(get, p, "sa.", config.heads, b);
    b.cross_v_bias = get(p + "ca.v_bias");
    b.cross_q_weight = get(p + "ca.mat_q.weight");
    b.cross_q_bias = get(p + "ca.mat_q.bias");
    b.cross_kv_weight = get(p + "ca.mat_kv.weight");
    b.cross_proj_weight = get(p + "ca.proj.weight");
    b.cross_proj_bias = get(p + "ca.proj.bias");
    b.cross_norm_weight = get(p + "ca_norm.weight");
    b.cross_norm_bias = get(p + "ca_norm.bias");
    b.gate_weight = get(p + "ffn.fcg.weight");
    w.blocks.push_back(std::move(b));
  }
  return w;
}

TensorMap random_transformer(const TransformerConfig& config, at::Generator generator) {
  const double base = std::sqrt(1.0 / (3.0 * static_cast<double>(config.width)));
  const double residual = base / std::sqrt(2.0 * static_cast<double>(config.depth));
  TensorMap tensors;
  for (const TensorSpec& spec : transformer_tensors(config)) {
    const std::string& name = spec.name;
    at::Tensor tensor = at::zeros(spec.shape, at::kFloat);
    const auto ends = [&](std::string_view tail) { return name.ends_with(tail); };
    if (ends("norm.weight")) {
      tensor.fill_(1);
    } else if (ends("scale_mul_1H11")) {
      tensor.fill_(std::log(4.0));  // attention neither flat nor hard at the start
    } else if (ends("ada_gss")) {
      tensor.normal_(0, 0.02, generator);
      tensor.narrow(2, 0, 2).add_(0.5);  // gates gamma1, gamma2 start open enough to pass gradients
    } else if (ends("ada_lin.1.weight")) {
      tensor.normal_(0, base * 0.1, generator);
    } else if (ends("proj.weight") || ends("fc2.weight")) {
      tensor.normal_(0, residual, generator);
    } else if (ends("head.weight")) {
      tensor.normal_(0, base * 0.1, generator);
    } else if (name == "cfg_uncond" || ends("mat_q") || name == "pos_start") {
      tensor.normal_(0, 1.0 / std::sqrt(static_cast<double>(spec.shape.back())), generator);
    } else if (ends("lvl_embed.weight")) {
      tensor.normal_(0, base, generator);
    } else if (ends(".weight")) {
      tensor.normal_(0, 1.0 / std::sqrt(static_cast<double>(spec.shape.back())) * 0.8, generator);
    }
    tensors.set(name, tensor);
  }
  return tensors;
}

}  // namespace kvscope::infinity
