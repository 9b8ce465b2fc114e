#include "core/models/vq/vq_decoder.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/device/inference_guard.h"
#include "core/models/vq/vq_quantiser.h"
#include "core/models/vq/vq_tensors.h"

namespace kvscope {

at::Tensor vq_decode_codes(const VqConfig& config,
                           const TensorMap& weights,
                           const at::Tensor& codes) {
  const ImageLayers layers(vq_style(config), weights);
  at::Tensor x = layers.convolution(
      "decoder.conv_in", layers.convolution("post_quant_conv", in_layout_of_decoders(codes)));
  x = layers.residual_block("decoder.mid.0", x);
  x = layers.attention("decoder.mid.1", x);
  x = layers.residual_block("decoder.mid.2", x);
  return vq_decode_from(config, weights, x, 0);
}

at::Tensor vq_decode_from(const VqConfig& config,
                          const TensorMap& weights,
                          const at::Tensor& input,
                          int64_t first_block) {
  const ImageLayers layers(vq_style(config), weights);
  at::Tensor x = in_layout_of_decoders(input);
  for (int64_t block = first_block; block < config.levels(); ++block) {
    const std::string name = fmt::format("decoder.conv_blocks.{}", block);
    for (int64_t i = 0; i < config.encoder_blocks + 1; ++i) {
      x = layers.residual_block(fmt::format("{}.res.{}", name, i), x);
      if (block == 0) x = layers.attention(fmt::format("{}.attn.{}", name, i), x);
    }
    if (block + 1 < config.levels()) x = layers.upsample(name + ".upsample", x);
  }
  return layers.convolution("decoder.conv_out", layers.norm_act("decoder.norm_out", x));
}

at::Tensor vq_decode(const VqConfig& config,
                     const TensorMap& tensors,
                     const at::Tensor& ids,
                     const std::string& prefix,
                     int64_t images_at_once,
                     at::ScalarType type) {
  const InferenceGuard inference;
  const TensorMap weights = resolve_vq(vq_decoder_tensors(config), tensors, prefix, type);
  const at::Tensor codes = vq_lookup(vq_codebook(weights), ids);
  const int64_t count = codes.size(0);
  const at::Tensor images =
      at::empty({count, 3, codes.size(2) * config.stride(), codes.size(3) * config.stride()},
                codes.options());
  if (images.numel() == 0) return images;
  const int64_t at_once = std::max<int64_t>(1, images_at_once);
  for (int64_t first = 0; first < count; first += at_once) {
    const int64_t some = std::min(at_once, count - first);
    images.narrow(0, first, some)
        .copy_(vq_decode_codes(config, weights, codes.narrow(0, first, some)));
  }
  return images;
}

}  // namespace kvscope
