#include "core/models/image_layers.h"

#include <ATen/ATen.h>

#include <cmath>

namespace kvscope {
namespace {

constexpr double kNormEpsilon = 1e-6;

}  // namespace

void ImageNetworkSpecs::convolution(const std::string& name,
                                    int64_t in,
                                    int64_t out,
                                    int64_t kernel) {
  specs_.push_back({name + style_.convolution_wrapper + ".weight", {out, in, kernel, kernel}});
  specs_.push_back({name + style_.convolution_wrapper + ".bias", {out}});
  holds(2 * in + out);
}

void ImageNetworkSpecs::norm(const std::string& name, int64_t channels) {
  specs_.push_back({name + style_.norm_wrapper + ".weight", {channels}});
  specs_.push_back({name + style_.norm_wrapper + ".bias", {channels}});
  holds(3 * channels);  // the input, normed, activated
}

void ImageNetworkSpecs::residual_block(const std::string& name, int64_t in, int64_t out) {
  norm(name + ".norm1", in);
  convolution(name + ".conv1", in, out, 3);
  norm(name + ".norm2", out);
  convolution(name + ".conv2", out, out, 3);
  if (in != out) convolution(name + ".nin_shortcut", in, out, 1);
  // conv1 beside the block's input, conv2 beside that and what conv1 gave; the sum of input, or
  // shortcut, and both convolutions is no more than either.
  holds(3 * in + out);
  holds(in + 4 * out);
}

void ImageNetworkSpecs::attention(const std::string& name, int64_t channels) {
  norm(name + ".norm", channels);
  for (const char* projection : {".q", ".k", ".v", ".proj_out"}) {
    convolution(name + projection, channels, channels, 1);
  }
  attends(channels);
}

void ImageNetworkSpecs::attends(int64_t channels) {
  // The input, it normed, q, k, v; products of all pixels with all, scaled, their softmax.
  holds(5 * channels + 3 * pixels_);
}

void ImageNetworkSpecs::upsample(const std::string& name, int64_t channels) {
  holds((1 + 2 * 4 + 4) * channels);  // the input, enlarged, convolved
  pixels_ *= 4;
  convolution(name + ".conv", channels, channels, 3);
}

at::ScalarType ImageLayers::type_of(const std::string& name) const {
  return weights_.at(name + style_.convolution_wrapper + ".weight").scalar_type();
}

at::Tensor ImageLayers::convolution(const std::string& name, const at::Tensor& x) const {
  const at::Tensor& weight = weights_.at(name + style_.convolution_wrapper + ".weight");
  const int64_t padding = weight.size(2) / 2;
  return at::conv2d(x, weight, weights_.at(name + style_.convolution_wrapper + ".bias"), {1, 1},
                    {padding, padding});
}

at::Tensor ImageLayers::norm(const std::string& name, const at::Tensor& x) const {
  const bool divides = x.size(1) % style_.norm_groups == 0 || style_.other_norm_groups == 0;
  return at::group_norm(x, divides ? style_.norm_groups : style_.other_norm_groups,
                        weights_.at(name + style_.norm_wrapper + ".weight"),
                        weights_.at(name + style_.norm_wrapper + ".bias"), kNormEpsilon);
}

at::Tensor ImageLayers::norm_act(const std::string& name, const at::Tensor& x) const {
  return at::silu(norm(name, x));
}

at::Tensor ImageLayers::residual_block(const std::string& name, const at::Tensor& x) const {
  const at::Tensor h1 = convolution(name + ".conv1", norm_act(name + ".norm1", x));
  const at::Tensor h2 = convolution(name + ".conv2", norm_act(name + ".norm2", h1));
  const bool same = x.size(1) == h2.size(1);
  return (same ? x : convolution(name + ".nin_shortcut", x)) + h2;
}

at::Tensor ImageLayers::attention(const std::string& name, const at::Tensor& x) const {
  const at::Tensor normed = norm(name + ".norm", x);
  const at::Tensor q = convolution(name + ".q", normed).flatten(2);  // [B, C, pixels]
  const at::Tensor k = convolution(name + ".k", normed).flatten(2);
  const at::Tensor v = convolution(name + ".v", normed).flatten(2);
  const double scale = 1.0 / std::sqrt(static_cast<double>(x.size(1)));
  const at::Tensor weights = at::softmax(at::bmm(q.transpose(1, 2), k) * scale, -1);
  const at::Tensor mixed = at::bmm(v, weights.transpose(1, 2)).view_as(x);
  return x + convolution(name + ".proj_out", mixed);
}

at::Tensor ImageLayers::upsample(const std::string& name, const at::Tensor& x) const {
  return convolution(name + ".conv", at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}));
}

at::Tensor ImageLayers::downsample(const std::string& name, const at::Tensor& x) const {
  const std::string layer = name + ".conv" + style_.convolution_wrapper;
  return at::conv2d(at::constant_pad_nd(x, {0, 1, 0, 1}), weights_.at(layer + ".weight"),
                    weights_.at(layer + ".bias"), {2, 2});
}

at::Tensor in_layout_of_decoders(const at::Tensor& images) {
  const bool side_by_side = images.device().is_cpu() && images.scalar_type() == at::kBFloat16;
  return side_by_side ? images.contiguous(at::MemoryFormat::ChannelsLast) : images;
}

TensorMap random_image_network(const std::vector<WeightSpec>& specs, at::Generator generator) {
  TensorMap tensors;
  for (const WeightSpec& spec : specs) {
    at::Tensor tensor = at::zeros(spec.shape, at::kFloat);
    if (spec.shape.size() == 4) {
      const int64_t fan_in = spec.shape[1] * spec.shape[2] * spec.shape[3];
      const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
      tensor.uniform_(-bound, bound, generator);
    } else if (spec.name.ends_with(".weight")) {
      tensor.fill_(1);
    }
    tensors.set(spec.name, tensor);
  }
  return tensors;
}

}  // namespace kvscope
