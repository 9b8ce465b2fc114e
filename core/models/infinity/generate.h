#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/engine/attend.h"
#include "core/models/infinity/text.h"
#include "core/models/shared/generation_times.h"

namespace kvscope::infinity {

struct GenerateOptions {
  std::vector<double> cfg = {3.0};  ///< guidance: one value, or one per scale
  std::vector<double> tau = {1.0};  ///< temperature: likewise
  int64_t top_k = 900;              ///< no effect on bits, kept for the reference's settings
  double top_p = 0.97;
  /// Bits to use instead of sampling: [scales][B, h, w, token bits] u8; empty samples all.
  std::vector<at::Tensor> forced_bits;
};

/// What a step leaves behind, for records and checks.
struct StepResult {
  const StepInfo& step;
  const at::Tensor&
      logits;  ///< [B, tokens, 2 * token bits] after guidance and temperature, before top-p
  const at::Tensor& bits;  ///< u8 [B, h, w, token bits]
  StepTimes times;
};

struct Generation {
  at::Tensor summed_codes;             ///< [B, d, H, W] for the image decoder
  std::vector<at::Tensor> token_bits;  ///< [scales][B, h, w, token bits] u8
  GenerationTimes times;
};

/// The sampling loop. `text` holds one row per image; `generators` one per image. `context.cache`
/// must be planned for this geometry and cache_rows(B). `on_step` sees every step. Throws
/// Error(kNumerics) naming the scale where a logit is NaN or infinite.
Generation generate(const TransformerConfig& config,
                    const TransformerWeights& weights,
                    const ImageGeometry& image,
                    const TextFeatures& text,
                    const GenerateOptions& options,
                    std::span<at::Generator> generators,
                    AttentionContext& context,
                    const std::function<void(const StepResult&)>& on_step = {});

}  // namespace kvscope::infinity
