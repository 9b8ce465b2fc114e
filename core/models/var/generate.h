#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/engine/attend.h"
#include "core/models/shared/generation_times.h"
#include "core/models/var/vqvae.h"
#include "core/models/var/weights.h"

namespace kvscope::var {

/// The strength that means no guidance: logits are c + t (c - u).
inline constexpr double kUnguided = 0.0;

struct GenerateOptions {
  /// Guidance. One value is the published setting: strength t = cfg * si / (scales - 1), from none
  /// on the first scale to cfg on the last. A list has t of every scale.
  std::vector<double> cfg = {1.5};
  std::vector<double> tau = {1.0};  ///< temperature: one value, or one per scale
  int64_t top_k = 900;
  double top_p = 0.96;
  /// Ids to use instead of sampling: [scales] int64 [B, tokens]; empty samples all.
  std::vector<at::Tensor> forced_ids = {};
};

/// What a step leaves behind, for records and checks.
struct StepResult {
  const StepInfo& step;
  const at::Tensor& logits;  ///< [B, tokens, codes] after guidance and temperature, before top-k
  const at::Tensor& ids;     ///< int64 [B, tokens]
  StepTimes times;
};

struct Generation {
  at::Tensor features;          ///< [B, code width, H, W] for the image decoder
  std::vector<at::Tensor> ids;  ///< [scales] int64 [B, tokens]
  GenerationTimes times;
};

/// Guidance t of every scale. Throws Error(kConfig) for a list of another length.
std::vector<double> guidance_of_scales(const std::vector<double>& cfg, size_t scales);

/// The sampling loop. `labels` in 0..classes, one per image, and `generators` likewise; `quantizer`
/// as resolve_vqvae gives it. `context.cache` must be planned for this geometry and cache_rows(B,
/// cfg, kUnguided): conditional rows above unconditional ones. `on_step` sees every step. Throws
/// Error(kNumerics) naming the scale where a logit is NaN or infinite.
Generation generate(const TransformerConfig& config,
                    const TransformerWeights& weights,
                    const VqvaeConfig& vae,
                    const TensorMap& quantizer,
                    const ScaleSchedule& schedule,
                    std::span<const int64_t> labels,
                    const GenerateOptions& options,
                    std::span<at::Generator> generators,
                    AttentionContext& context,
                    const std::function<void(const StepResult&)>& on_step = {});

}  // namespace kvscope::var
