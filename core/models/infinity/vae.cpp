#include "core/models/infinity/vae.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "core/base/error.h"

namespace kvscope::infinity {
namespace {

constexpr double kNormEpsilon = 1e-6;

// Collects the names and shapes of one network while it is walked in module order.
class SpecList {
 public:
  void convolution(const std::string& name, int64_t in, int64_t out, int64_t kernel) {
    specs_.push_back({name + ".conv.weight", {out, in, kernel, kernel}});
    specs_.push_back({name + ".conv.bias", {out}});
  }
  void norm(const std::string& name, int64_t channels) {
    specs_.push_back({name + ".norm.weight", {channels}});
    specs_.push_back({name + ".norm.bias", {channels}});
  }
  void residual_block(const std::string& name, int64_t in, int64_t out) {
    norm(name + ".norm1", in);
    convolution(name + ".conv1", in, out, 3);
    norm(name + ".norm2", out);
    convolution(name + ".conv2", out, out, 3);
    if (in != out) convolution(name + ".nin_shortcut", in, out, 1);
  }
  std::vector<TensorSpec> take() { return std::move(specs_); }

 private:
  std::vector<TensorSpec> specs_;
};

int64_t level_channels(const VaeConfig& config, int64_t level) {
  return config.base_channels * config.channel_multipliers.at(static_cast<size_t>(level));
}

int64_t levels(const VaeConfig& config) {
  return static_cast<int64_t>(config.channel_multipliers.size());
}

// Layers by name over a map of weights.
class Layers {
 public:
  Layers(const VaeConfig& config, const TensorMap& weights) : config_(config), weights_(weights) {}

  at::Tensor convolution(const std::string& name, const at::Tensor& x, int64_t stride = 1) const {
    const at::Tensor& weight = weights_.at(name + ".conv.weight");
    const int64_t padding = stride == 1 ? weight.size(2) / 2 : 0;
    return at::conv2d(x, weight, weights_.at(name + ".conv.bias"), {stride, stride},
                      {padding, padding});
  }
  at::Tensor norm_act(const std::string& name, const at::Tensor& x) const {
    const int64_t groups = x.size(1) % config_.norm_groups == 0 ? config_.norm_groups : 24;
    return at::silu(at::group_norm(x, groups, weights_.at(name + ".norm.weight"),
                                   weights_.at(name + ".norm.bias"), kNormEpsilon));
  }
  at::Tensor residual_block(const std::string& name, const at::Tensor& x) const {
    const at::Tensor h1 = convolution(name + ".conv1", norm_act(name + ".norm1", x));
    const at::Tensor h2 = convolution(name + ".conv2", norm_act(name + ".norm2", h1));
    const bool same = x.size(1) == h2.size(1);
    return (same ? x : convolution(name + ".nin_shortcut", x)) + h2;
  }

 private:
  const VaeConfig& config_;
  const TensorMap& weights_;
};

// "a.conv1.conv.weight" -> "a.conv1.weight": the spelling without the wrapper.
std::string unwrapped(std::string name) {
  for (const std::string_view wrapper : {".conv.", ".norm."}) {
    const size_t at = name.rfind(wrapper);
    if (at != std::string::npos) return name.erase(at, wrapper.size() - 1);
  }
  return name;
}

}  // namespace

std::vector<TensorSpec> vae_decoder_tensors(const VaeConfig& config) {
  SpecList specs;
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
    if (level > 0)
      specs.convolution(fmt::format("decoder.up.{}.upsample.conv", level), out, out, 3);
  }
  specs.norm("decoder.norm_out", channels);
  specs.convolution("decoder.conv_out", channels, 3, 3);
  return specs.take();
}

std::vector<TensorSpec> vae_encoder_tensors(const VaeConfig& config) {
  SpecList specs;
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
  TensorMap found;
  std::string problems;
  for (const TensorSpec& spec : specs) {
    const std::string wrapped = prefix + spec.name;
    const std::string name = tensors.contains(wrapped) ? wrapped : prefix + unwrapped(spec.name);
    if (!tensors.contains(name)) {
      problems += fmt::format("\n  missing '{}' {}", wrapped, spec.shape);
      continue;
    }
    const at::Tensor& tensor = tensors.at(name);
    if (tensor.sizes() != at::IntArrayRef(spec.shape)) {
      problems += fmt::format("\n  '{}' has shape {}, expected {}", name,
                              std::vector<int64_t>(tensor.sizes().begin(), tensor.sizes().end()),
                              spec.shape);
      continue;
    }
    found.set(spec.name, tensor);
  }
  if (!problems.empty()) {
    throw Error(ErrorKind::kInput, "checkpoint does not fit the picture autoencoder:" + problems);
  }
  return found;
}

TensorMap random_vae(const std::vector<TensorSpec>& specs, at::Generator generator) {
  TensorMap tensors;
  for (const TensorSpec& spec : specs) {
    at::Tensor tensor = at::zeros(spec.shape, at::kFloat);
    if (spec.name.ends_with(".conv.weight")) {
      const int64_t fan_in = spec.shape[1] * spec.shape[2] * spec.shape[3];
      const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
      tensor.uniform_(-bound, bound, generator);
    } else if (spec.name.ends_with(".norm.weight")) {
      tensor.fill_(1);
    }
    tensors.set(spec.name, tensor);
  }
  return tensors;
}

at::Tensor vae_decode(const VaeConfig& config, const TensorMap& weights, const at::Tensor& latent) {
  const Layers layers(config, weights);
  at::Tensor x = layers.convolution("decoder.conv_in", latent);
  x = layers.residual_block("decoder.mid.block_1", x);
  x = layers.residual_block("decoder.mid.block_2", x);
  for (int64_t level = levels(config) - 1; level >= 0; --level) {
    for (int64_t i = 0; i < config.encoder_blocks + 1; ++i) {
      x = layers.residual_block(fmt::format("decoder.up.{}.block.{}", level, i), x);
    }
    if (level > 0) {
      x = at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
      x = layers.convolution(fmt::format("decoder.up.{}.upsample.conv", level), x);
    }
  }
  return layers.convolution("decoder.conv_out", layers.norm_act("decoder.norm_out", x));
}

at::Tensor vae_encode(const VaeConfig& config,
                      const TensorMap& weights,
                      const at::Tensor& picture) {
  const Layers layers(config, weights);
  at::Tensor x = layers.convolution("encoder.conv_in", picture);
  for (int64_t level = 0; level < levels(config); ++level) {
    for (int64_t i = 0; i < config.encoder_blocks; ++i) {
      x = layers.residual_block(fmt::format("encoder.down.{}.block.{}", level, i), x);
    }
    if (level + 1 < levels(config)) {
      x = layers.convolution(fmt::format("encoder.down.{}.downsample.conv", level),
                             at::constant_pad_nd(x, {0, 1, 0, 1}),
                             /*stride=*/2);
    }
  }
  x = layers.residual_block("encoder.mid.block_1", x);
  x = layers.residual_block("encoder.mid.block_2", x);
  return layers.convolution("encoder.conv_out", layers.norm_act("encoder.norm_out", x));
}

std::vector<Picture> to_pictures(const at::Tensor& decoded) {
  const at::Tensor bytes = ((decoded.to(at::kFloat).clamp(-1, 1) + 1) / 2 * 255)
                               .to(at::kByte)
                               .permute({0, 2, 3, 1})
                               .to(at::kCPU)
                               .contiguous();
  std::vector<Picture> pictures;
  for (int64_t i = 0; i < bytes.size(0); ++i) {
    Picture picture(bytes.size(1), bytes.size(2));
    const uint8_t* data = bytes[i].data_ptr<uint8_t>();
    std::copy(data, data + picture.rgb.size(), picture.rgb.begin());
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

at::Tensor from_pictures(std::span<const Picture> pictures) {
  if (pictures.empty()) return {};
  const int64_t height = pictures.front().height;
  const int64_t width = pictures.front().width;
  at::Tensor bytes =
      at::empty({static_cast<int64_t>(pictures.size()), height, width, 3}, at::kByte);
  uint8_t* data = bytes.data_ptr<uint8_t>();
  for (const Picture& picture : pictures) {
    data = std::copy(picture.rgb.begin(), picture.rgb.end(), data);
  }
  return bytes.permute({0, 3, 1, 2}).to(at::kFloat).div_(127.5).sub_(1).contiguous();
}

}  // namespace kvscope::infinity
