#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/models/infinity/config.h"

namespace kvscope::infinity {

/// Bits -> codes on the unit sphere: +-1/sqrt(d). `bits` [B, h, w, d] (0 or 1) -> [B, d, h, w]
/// fp32.
at::Tensor bits_to_codes(const at::Tensor& bits);

/// Token bits [B, h, w, 4 d] -> latent bits [B, 2 h, 2 w, d]: bit k of a token is channel k / 4,
/// dy = (k % 4) / 2, dx = k % 2.
at::Tensor unpatch_bits(const at::Tensor& token_bits);
/// The inverse: latent bits [B, 2 h, 2 w, d] -> token bits [B, h, w, 4 d].
at::Tensor patch_bits(const at::Tensor& latent_bits);

/// Bilinear resize with half-pixel centres, no antialias, for enlarging and for shrinking alike.
/// x [B, d, h, w] -> [B, d, height, width].
at::Tensor resize_codes(const at::Tensor& x, std::pair<int64_t, int64_t> size);

/// Adds scale `si`'s codes to the running sum [B, d, H, W] (resized unless it is the last scale).
at::Tensor accumulate(const at::Tensor& summed,
                      const at::Tensor& codes,
                      const ImageGeometry& image,
                      int64_t si,
                      bool patchify);

/// Input of scale `si` from the running sum: [B, tokens, token bits].
at::Tensor next_input(const at::Tensor& summed,
                      const ImageGeometry& image,
                      int64_t si,
                      bool patchify);

/// Multi-scale quantisation of encoder features [B, d, H, W] (BSQ): latent bits u8 of every scale
/// [B, h, w, d], and the sum of codes [B, d, H, W].
struct QuantisedFeatures {
  std::vector<at::Tensor> bits;
  /// How far each bit's feature lay from the threshold: fp32, shapes of `bits`. A bit of small
  /// magnitude is nearly free to choose.
  std::vector<at::Tensor> magnitudes;
  at::Tensor summed;
};

/// `flip_probability` > 0 flips each latent bit of what later scales see (bitwise self-correction):
/// the residual is taken after the flip, so later scales learn to mend it. `inputs`, when asked
/// for, are next_input of every scale but the first under the flipped bits. `bits` are the targets.
QuantisedFeatures quantise(const at::Tensor& features,
                           const ImageGeometry& image,
                           bool patchify,
                           const std::vector<double>& flip_probability,
                           std::vector<at::Tensor>* inputs,
                           c10::optional<at::Generator> generator);

}  // namespace kvscope::infinity
