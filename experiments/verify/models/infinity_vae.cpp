#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "core/models/infinity/vae.h"
#include "experiments/verify/group_check.h"
#include "experiments/verify/kinds.h"

namespace kvscope::verify {

std::vector<GroupResult> verify_infinity_vae(GoldenFile& file) {
  const at::NoGradGuard no_grad;
  infinity::VaeConfig config;
  config.code_bits = file.integer("vae_bits");
  config.base_channels = file.integer("base_channels");
  config.channel_multipliers = file.integers("ch_mult", 1, 1024);
  if (config.channel_multipliers.empty() || config.channel_multipliers.size() > 8) {
    file.fail(fmt::format("metadata 'ch_mult' has {} levels; expected 1..8",
                          config.channel_multipliers.size()));
  }
  const int64_t stride = config.stride();
  if (file.has_key("stride") && file.integer("stride") != stride) {
    file.fail(fmt::format("metadata 'stride' is {}, but {} levels make {}", file.integer("stride"),
                          config.channel_multipliers.size(), stride));
  }
  const TensorMap weights =
      infinity::resolve_vae(infinity::vae_decoder_tensors(config), file.weights("vae."), "vae.");
  const std::vector<int64_t> latent = file.shape("z");
  if (latent.size() != 4 || latent[1] != config.code_bits) {
    file.fail(fmt::format("tensor 'z' must be [images, {}, height, width]", config.code_bits));
  }
  const at::Tensor z = file.tensor("z", latent).to(file.device(), at::kFloat);
  const at::Tensor recorded =
      file.tensor("image", {latent[0], 3, latent[2] * stride, latent[3] * stride});
  GroupCheck image("image");
  image.compare(infinity::vae_decode(config, weights, z).clamp(-1, 1), recorded, "image");
  return {image.result(fmt::format("stride {}, in [-1, 1]", stride))};
}

}  // namespace kvscope::verify
