#include "core/models/infinity/vae.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/models/image_layers.h"

namespace kvscope::infinity {
namespace {

ImageNetworkStyle style_of(const VaeConfig& config) {
  return {.convolution_wrapper = ".conv",
          .norm_wrapper = ".norm",
          .norm_groups = config.norm_groups,
          .other_norm_groups = 24};
}

int64_t level_channels(const VaeConfig& config, int64_t level) {
  return config.base_channels * config.channel_multipliers.at(static_cast<size_t>(level));
}

int64_t levels(const VaeConfig& config) {
  return static_cast<int64_t>(config.channel_multipliers.size());
}

ImageNetworkSpecs decoder_network(const VaeConfig& config, int64_t latent_pixels) {
  ImageNetworkSpecs specs(style_of(config), latent_pixels);
  const int64_t top = level_channels(config, levels(config) - 1);
  specs.convolution("decoder.conv_in", config.code_bits, top, 3);
  specs.residual_block("decoder.mid.block_1", top, top);
  specs.residual_block("decoder.mid.block_2", top, top);
  int64_t channels = top;
  for (int64_t level = levels(config) - 1; level >= 0; --level) {
    const int64_t out = level_channels(config, level);
    for (int64_t i = 0; i < config.encoder_blocks + 1; ++i) {
      specs.residual_block(fmt::format("decoder.up.{}.block.{}", level, i), i == 0 ? channels : out,
                           out);
    }
    channels = out;
    if (level > 0) specs.upsample(fmt::format("decoder.up.{}.upsample", level), out);
  }
  specs.norm("decoder.norm_out", channels);
  specs.convolution("decoder.conv_out", channels, 3, 3);
  return specs;
}

}  // namespace

std::string unwrapped_name(std::string name) {
  for (const std::string_view wrapper : {".conv.", ".norm."}) {
    const size_t at = name.rfind(wrapper);
    if (at != std::string::npos) return name.erase(at, wrapper.size() - 1);
  }
  return name;
}

std::vector<TensorSpec> vae_decoder_tensors(const VaeConfig& config) {
  return decoder_network(config, 1).take();
}

int64_t vae_decoder_elements(const VaeConfig& config, int64_t latent_pixels) {
  return decoder_network(config, latent_pixels).peak_elements();
}

std::vector<TensorSpec> vae_encoder_tensors(const VaeConfig& config) {
  ImageNetworkSpecs specs(style_of(config));
  specs.convolution("encoder.conv_in", 3, config.base_channels, 3);
  int64_t channels = config.base_channels;
  for (int64_t level = 0; level < levels(config); ++level) {
    const int64_t out = level_channels(config, level);
    for (int64_t i = 0; i < config.encoder_blocks; ++i) {
      specs.residual_block(fmt::format("encoder.down.{}.block.{}", level, i),
                           i == 0 ? channels : out, out);
    }
    channels = out;
    if (level + 1 < levels(config)) {
      specs.convolution(fmt::format("encoder.down.{}.downsample.conv", level), out, out, 3);
    }
  }
  specs.residual_block("encoder.mid.block_1", channels, channels);
  specs.residual_block("encoder.mid.block_2", channels, channels);
  specs.norm("encoder.norm_out", channels);
  specs.convolution("encoder.conv_out", channels, config.code_bits, 3);
  return specs.take();
}

TensorMap resolve_vae(const std::vector<TensorSpec>& specs,
                      const TensorMap& tensors,
                      const std::string& prefix) {
  const auto spellings = [&](const std::string& name) {
    return std::vector<std::string>{prefix + name, prefix + unwrapped_name(name)};
  };
  return resolve_weights(specs, tensors, spellings, "the image autoencoder");
}

TensorMap random_vae(const std::vector<TensorSpec>& specs, at::Generator generator) {
  return random_image_network(specs, std::move(generator));
}

at::Tensor vae_decode(const VaeConfig& config, const TensorMap& weights, const at::Tensor& latent) {
  const ImageLayers layers(style_of(config), weights);
  at::Tensor x = layers.convolution(
      "decoder.conv_in", in_layout_of_decoders(latent.to(layers.type_of("decoder.conv_in"))));
  x = layers.residual_block("decoder.mid.block_1", x);
  x = layers.residual_block("decoder.mid.block_2", x);
  for (int64_t level = levels(config) - 1; level >= 0; --level) {
    for (int64_t i = 0; i < config.encoder_blocks + 1; ++i) {
      x = layers.residual_block(fmt::format("decoder.up.{}.block.{}", level, i), x);
    }
    if (level > 0) {
      x = layers.upsample(fmt::format("decoder.up.{}.upsample", level), x);
    }
  }
  return layers.convolution("decoder.conv_out", layers.norm_act("decoder.norm_out", x));
}

at::Tensor vae_decode_one_by_one(const VaeConfig& config,
                                 const TensorMap& weights,
                                 const at::Tensor& latent) {
  std::vector<at::Tensor> images;
  for (int64_t image = 0; image < latent.size(0); ++image) {
    images.push_back(vae_decode(config, weights, latent.narrow(0, image, 1)));
  }
  return at::cat(images);
}

at::Tensor vae_encode(const VaeConfig& config, const TensorMap& weights, const at::Tensor& image) {
  const ImageLayers layers(style_of(config), weights);
  at::Tensor x = layers.convolution("encoder.conv_in", image);
  for (int64_t level = 0; level < levels(config); ++level) {
    for (int64_t i = 0; i < config.encoder_blocks; ++i) {
      x = layers.residual_block(fmt::format("encoder.down.{}.block.{}", level, i), x);
    }
    if (level + 1 < levels(config)) {
      x = layers.downsample(fmt::format("encoder.down.{}.downsample", level), x);
    }
  }
  x = layers.residual_block("encoder.mid.block_1", x);
  x = layers.residual_block("encoder.mid.block_2", x);
  return layers.convolution("encoder.conv_out", layers.norm_act("encoder.norm_out", x));
}

}  // namespace kvscope::infinity
