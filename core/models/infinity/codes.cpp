#include "core/models/infinity/codes.h"

#include <ATen/ATen.h>

#include <cmath>

namespace kvscope::infinity {

at::Tensor bits_to_codes(const at::Tensor& bits) {
  const double magnitude = 1.0 / std::sqrt(static_cast<double>(bits.size(-1)));
  const at::Tensor raw = bits.to(at::kFloat) * (2 * magnitude) - magnitude;
  const at::Tensor unit = raw / raw.norm(2, {-1}, true).clamp_min(1e-12);
  return unit.permute({0, 3, 1, 2}).contiguous();
}

at::Tensor unpatch_bits(const at::Tensor& token_bits) {
  return at::pixel_shuffle(token_bits.permute({0, 3, 1, 2}), 2).permute({0, 2, 3, 1}).contiguous();
}

at::Tensor patch_bits(const at::Tensor& latent_bits) {
  return at::pixel_unshuffle(latent_bits.permute({0, 3, 1, 2}), 2)
      .permute({0, 2, 3, 1})
      .contiguous();
}

at::Tensor resize_codes(const at::Tensor& x, std::pair<int64_t, int64_t> size) {
  if (x.size(2) == size.first && x.size(3) == size.second) return x;
  // Trilinear over one frame, as the reference: bilinear, but rounded in the same order.
  return at::upsample_trilinear3d(x.unsqueeze(2), {1, size.first, size.second},
                                  /*align_corners=*/false)
      .squeeze(2);
}

at::Tensor accumulate(const at::Tensor& summed,
                      const at::Tensor& codes,
                      const ImageGeometry& image,
                      int64_t si,
                      bool patchify) {
  const int64_t last = static_cast<int64_t>(image.schedule.size()) - 1;
  if (si == last) return summed + codes;
  return summed + resize_codes(codes, image.latent(last, patchify));
}

at::Tensor next_input(const at::Tensor& summed,
                      const ImageGeometry& image,
                      int64_t si,
                      bool patchify) {
  at::Tensor z = resize_codes(summed, image.latent(si, patchify));
  if (patchify) z = at::pixel_unshuffle(z, 2);
  return z.flatten(2).transpose(1, 2);
}

QuantisedFeatures quantise(const at::Tensor& features,
                           const ImageGeometry& image,
                           bool patchify,
                           const std::vector<double>& flip_probability,
                           std::vector<at::Tensor>* inputs,
                           c10::optional<at::Generator> generator) {
  QuantisedFeatures result;
  at::Tensor residual = features;
  at::Tensor summed = at::zeros_like(features);
  const int64_t scales = static_cast<int64_t>(image.schedule.size());
  for (int64_t si = 0; si < scales; ++si) {
    const auto [height, width] = image.latent(si, patchify);
    const at::Tensor shrunk = at::adaptive_avg_pool2d(residual, {height, width});
    const at::Tensor bits = (shrunk > 0).permute({0, 2, 3, 1}).to(at::kByte).contiguous();
    at::Tensor seen = bits;
    const double probability =
        flip_probability.empty() ? 0.0 : flip_probability.at(static_cast<size_t>(si));
    if (probability > 0) {
      const at::Tensor flips = at::rand(bits.sizes(), generator, at::kFloat).to(bits.device());
      seen = bits.bitwise_xor((flips < probability).to(at::kByte));
    }
    const at::Tensor full = resize_codes(bits_to_codes(seen), image.latent(scales - 1, patchify));
    residual = residual - full;
    summed = summed + full;
    result.bits.push_back(bits);
    result.magnitudes.push_back(shrunk.abs().permute({0, 2, 3, 1}));
    if (inputs != nullptr && si + 1 < scales) {
      inputs->push_back(next_input(summed, image, si + 1, patchify));
    }
  }
  result.summed = summed;
  return result;
}

}  // namespace kvscope::infinity
