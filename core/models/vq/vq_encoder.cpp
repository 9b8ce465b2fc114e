#include "core/models/vq/vq_encoder.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/device/inference_guard.h"
#include "core/models/vq/vq_quantiser.h"
#include "core/models/vq/vq_tensors.h"

namespace kvscope {

namespace {

void check_images(const at::Tensor& images, int64_t stride) {
  if (images.dim() != 4 || images.size(1) != 3 || images.size(2) % stride != 0 ||
      images.size(3) % stride != 0) {
    throw Error(ErrorKind::kInput,
                fmt::format("images must be [images, 3, height, width] with sides that are "
                            "multiples of {}",
                            stride));
  }
}

}  // namespace

at::Tensor vq_encode_features(const VqConfig& config,
                              const TensorMap& weights,
                              const at::Tensor& images) {
  check_images(images, config.stride());
  const ImageLayers layers(vq_style(config), weights);
  at::Tensor x = layers.convolution("encoder.conv_in", images);
  for (int64_t level = 0; level < config.levels(); ++level) {
    const std::string name = fmt::format("encoder.conv_blocks.{}", level);
    const bool coarsest = level + 1 == config.levels();
    for (int64_t i = 0; i < config.encoder_blocks; ++i) {
      x = layers.residual_block(fmt::format("{}.res.{}", name, i), x);
      if (coarsest) x = layers.attention(fmt::format("{}.attn.{}", name, i), x);
    }
    if (!coarsest) x = layers.downsample(name + ".downsample", x);
  }
  x = layers.residual_block("encoder.mid.0", x);
  x = layers.attention("encoder.mid.1", x);
  x = layers.residual_block("encoder.mid.2", x);
  x = layers.convolution("encoder.conv_out", layers.norm_act("encoder.norm_out", x));
  return layers.convolution("quant_conv", x);
}

at::Tensor vq_encode(const VqConfig& config,
                     const TensorMap& tensors,
                     const at::Tensor& images,
                     const std::string& prefix,
                     int64_t images_at_once) {
  const InferenceGuard inference;
  check_images(images, config.stride());
  const TensorMap weights = resolve_vq(vq_encoder_tensors(config), tensors, prefix);
  const at::Tensor codebook = vq_codebook(weights);
  std::vector<at::Tensor> ids;
  const int64_t at_once = std::max<int64_t>(1, images_at_once);
  for (int64_t first = 0; first < images.size(0); first += at_once) {
    const int64_t some = std::min(at_once, images.size(0) - first);
    const at::Tensor part = images.narrow(0, first, some).to(at::kFloat);
    ids.push_back(vq_nearest(codebook, vq_encode_features(config, weights, part)));
  }
  if (!ids.empty()) return at::cat(ids);
  return at::empty({0, images.size(2) / config.stride(), images.size(3) / config.stride()},
                   images.options().dtype(at::kLong));
}

}  // namespace kvscope
