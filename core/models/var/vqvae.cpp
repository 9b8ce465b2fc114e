#include "core/models/var/vqvae.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "core/models/image_layers.h"

namespace kvscope::var {
namespace {

constexpr double kNormEpsilon = 1e-6;

ImageNetworkStyle style(const VqvaeConfig& config) {
  return {.convolution_wrapper = "", .norm_wrapper = "", .norm_groups = config.norm_groups};
}

std::string phi_name(int64_t phi) {
  return fmt::format("quantize.quant_resi.qresi_ls.{}", phi);
}

std::vector<WeightSpec> of_the_vae(std::vector<WeightSpec> specs) {
  for (WeightSpec& spec : specs) spec.part = "vae.";
  return specs;
}

// One head over all pixels, q | k | v from one 1 x 1 convolution.
class FusedAttention {
 public:
  static void specs(ImageNetworkSpecs& specs, const std::string& name, int64_t channels) {
    specs.norm(name + ".norm", channels);
    specs.convolution(name + ".qkv", channels, 3 * channels, 1);
    specs.convolution(name + ".proj_out", channels, channels, 1);
    specs.attends(channels);
  }

  static at::Tensor apply(const VqvaeConfig& config,
                          const TensorMap& weights,
                          const ImageLayers& layers,
                          const std::string& name,
                          const at::Tensor& x) {
    const at::Tensor normed =
        at::group_norm(x, config.norm_groups, weights.at(name + ".norm.weight"),
                       weights.at(name + ".norm.bias"), kNormEpsilon);
    const std::vector<at::Tensor> qkv =
        layers.convolution(name + ".qkv", normed).flatten(2).chunk(3, 1);  // [B, C, pixels]
    const double scale = 1.0 / std::sqrt(static_cast<double>(x.size(1)));
    const at::Tensor share = at::softmax(at::bmm(qkv[0].transpose(1, 2), qkv[1]) * scale, -1);
    const at::Tensor mixed = at::bmm(qkv[2], share.transpose(1, 2)).view_as(x);
    return x + layers.convolution(name + ".proj_out", mixed);
  }
};

ImageNetworkSpecs decoder_network(const VqvaeConfig& config, int64_t latent_pixels) {
  config.check();
  ImageNetworkSpecs specs(style(config), latent_pixels);
  const int64_t coarsest = config.levels() - 1;
  int64_t channels = config.channels(coarsest);
  specs.convolution("post_quant_conv", config.code_width, config.code_width, 3);
  specs.convolution("decoder.conv_in", config.code_width, channels, 3);
  specs.residual_block("decoder.mid.block_1", channels, channels);
  FusedAttention::specs(specs, "decoder.mid.attn_1", channels);
  specs.residual_block("decoder.mid.block_2", channels, channels);
  for (int64_t level = coarsest; level >= 0; --level) {
    const std::string up = fmt::format("decoder.up.{}", level);
    const int64_t out = config.channels(level);
    for (int64_t i = 0; i <= config.encoder_blocks; ++i) {
      specs.residual_block(fmt::format("{}.block.{}", up, i), i == 0 ? channels : out, out);
      if (level == coarsest) FusedAttention::specs(specs, fmt::format("{}.attn.{}", up, i), out);
    }
    channels = out;
    if (level > 0) specs.upsample(up + ".upsample", out);
  }
  specs.norm("decoder.norm_out", channels);
  specs.convolution("decoder.conv_out", channels, 3, 3);
  return specs;
}

at::Tensor decode_one(const VqvaeConfig& config,
                      const TensorMap& weights,
                      const at::Tensor& features) {
  const ImageLayers layers(style(config), weights);
  const auto attention = [&](const std::string& name, const at::Tensor& x) {
    return FusedAttention::apply(config, weights, layers, name, x);
  };
  at::Tensor x = layers.convolution(
      "post_quant_conv", in_layout_of_decoders(features.to(layers.type_of("post_quant_conv"))));
  x = layers.convolution("decoder.conv_in", x);
  x = layers.residual_block("decoder.mid.block_1", x);
  x = attention("decoder.mid.attn_1", x);
  x = layers.residual_block("decoder.mid.block_2", x);
  for (int64_t level = config.levels() - 1; level >= 0; --level) {
    const std::string up = fmt::format("decoder.up.{}", level);
    for (int64_t i = 0; i <= config.encoder_blocks; ++i) {
      x = layers.residual_block(fmt::format("{}.block.{}", up, i), x);
      if (level == config.levels() - 1) x = attention(fmt::format("{}.attn.{}", up, i), x);
    }
    if (level > 0) x = layers.upsample(up + ".upsample", x);
  }
  return layers.convolution("decoder.conv_out", layers.norm_act("decoder.norm_out", x));
}

}  // namespace

std::vector<WeightSpec> quantizer_tensors(const VqvaeConfig& config) {
  config.check();
  ImageNetworkSpecs specs(style(config));
  for (int64_t phi = 0; phi < config.phis; ++phi) {
    specs.convolution(phi_name(phi), config.code_width, config.code_width, 3);
  }
  std::vector<WeightSpec> result = specs.take();
  result.push_back(
      {.name = "quantize.embedding.weight", .shape = {config.codes, config.code_width}});
  return of_the_vae(std::move(result));
}

std::vector<WeightSpec> decoder_tensors(const VqvaeConfig& config) {
  return of_the_vae(decoder_network(config, 1).take());
}

int64_t decoder_elements(const VqvaeConfig& config, int64_t latent_pixels) {
  return decoder_network(config, latent_pixels).peak_elements();
}

TensorMap resolve_vqvae(const std::vector<WeightSpec>& specs,
                        const TensorMap& tensors,
                        const std::string& prefix) {
  const TensorMap found = resolve_weights(
      specs, tensors,
      [&](const std::string& name) { return std::vector<std::string>{prefix + name}; },
      "VAR's image autoencoder");
  TensorMap wide;
  for (const auto& [name, tensor] : found) wide.set(name, tensor.to(at::kFloat));
  return wide;
}

TensorMap random_vqvae(const std::vector<WeightSpec>& specs, at::Generator generator) {
  TensorMap tensors = random_image_network(specs, generator);
  if (tensors.contains("quantize.embedding.weight")) {
    at::Tensor codebook = tensors.at("quantize.embedding.weight");
    codebook.normal_(0, 1, generator);
  }
  return tensors;
}

at::Tensor accumulate(const VqvaeConfig& config,
                      const TensorMap& weights,
                      const at::Tensor& features,
                      const at::Tensor& ids,
                      const ScaleSchedule& schedule,
                      int64_t si) {
  const auto scales = static_cast<int64_t>(schedule.size());
  const auto [height, width] = schedule.at(static_cast<size_t>(si));
  at::Tensor h = weights.at("quantize.embedding.weight")
                     .index_select(0, ids.flatten())
                     .view({ids.size(0), height, width, config.code_width})
                     .permute({0, 3, 1, 2})
                     .contiguous();
  if (si + 1 < scales) {
    const auto [full_height, full_width] = schedule.back();
    h = at::upsample_bicubic2d(h, {full_height, full_width}, /*align_corners=*/false);
  }
  const std::string phi = phi_name(phi_of_scale(si, scales, config.phis));
  const at::Tensor convolved =
      at::conv2d(h, weights.at(phi + ".weight"), weights.at(phi + ".bias"), {1, 1}, {1, 1});
  return features + (0.5 * h + 0.5 * convolved);
}

at::Tensor next_input(const at::Tensor& features, const ScaleSchedule& schedule, int64_t si) {
  const auto [height, width] = schedule.at(static_cast<size_t>(si));
  return at::adaptive_avg_pool2d(features, {height, width}).flatten(2).transpose(1, 2);
}

at::Tensor vqvae_decode(const VqvaeConfig& config,
                        const TensorMap& weights,
                        const at::Tensor& features) {
  std::vector<at::Tensor> images;
  for (int64_t image = 0; image < features.size(0); ++image) {
    images.push_back(decode_one(config, weights, features.narrow(0, image, 1)));
  }
  return at::cat(images);
}

}  // namespace kvscope::var
