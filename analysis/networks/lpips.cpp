#include "analysis/networks/lpips.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <array>
#include <span>

#include "core/base/error.h"
#include "core/checkpoint/weight_check.h"

namespace kvscope {
namespace {

/// A convolution with its ReLU in torchvision's `features`, at the index of its name.
struct Convolution {
  int64_t index;
  int64_t in;
  int64_t out;
  int64_t kernel;
  int64_t stride;
  int64_t padding;
  bool pooled;       // the input goes through the maximum of its neighbours first
  int64_t compared;  // the layer whose features it ends, 1 to 5; 0: none
};

constexpr Convolution kAlexNet[] = {{0, 3, 64, 11, 4, 2, false, 1},
                                    {3, 64, 192, 5, 1, 2, true, 2},
                                    {6, 192, 384, 3, 1, 1, true, 3},
                                    {8, 384, 256, 3, 1, 1, false, 4},
                                    {10, 256, 256, 3, 1, 1, false, 5}};

constexpr Convolution kVgg16[] = {
    {0, 3, 64, 3, 1, 1, false, 0},     {2, 64, 64, 3, 1, 1, false, 1},
    {5, 64, 128, 3, 1, 1, true, 0},    {7, 128, 128, 3, 1, 1, false, 2},
    {10, 128, 256, 3, 1, 1, true, 0},  {12, 256, 256, 3, 1, 1, false, 0},
    {14, 256, 256, 3, 1, 1, false, 3}, {17, 256, 512, 3, 1, 1, true, 0},
    {19, 512, 512, 3, 1, 1, false, 0}, {21, 512, 512, 3, 1, 1, false, 4},
    {24, 512, 512, 3, 1, 1, true, 0},  {26, 512, 512, 3, 1, 1, false, 0},
    {28, 512, 512, 3, 1, 1, false, 5}};

std::span<const Convolution> convolutions(LpipsNetwork network) {
  if (network == LpipsNetwork::kAlexNet) return kAlexNet;
  return kVgg16;
}

std::string feature_name(int64_t index, const char* what) {
  return fmt::format("features.{}.{}", index, what);
}

std::string head_name(int64_t layer) {
  return fmt::format("lin{}.model.1.weight", layer - 1);
}

/// The lpips package's name of a convolution: slices end where features are compared.
std::string slice_name(LpipsNetwork network, int64_t index, const char* what) {
  int64_t slice = 1;
  for (const Convolution& convolution : convolutions(network)) {
    if (convolution.index == index) break;
    if (convolution.compared > 0) slice = convolution.compared + 1;
  }
  return fmt::format("net.slice{}.{}.{}", slice, index, what);
}

/// Each place of length 1 over its channels.
at::Tensor normalised(const at::Tensor& features) {
  constexpr double kEpsilon = 1e-10;
  return features / (features.square().sum(1, true).sqrt() + kEpsilon);
}

at::Tensor per_channel(const std::array<double, 3>& values, const at::Tensor& like) {
  // The published numbers are in single precision whatever the network computes in.
  return at::tensor(at::ArrayRef<double>(values.data(), values.size()), at::kFloat)
      .to(like.options())
      .view({1, 3, 1, 1});
}

}  // namespace

std::vector<WeightSpec> lpips_tensors(LpipsNetwork network) {
  std::vector<WeightSpec> specs;
  for (const Convolution& one : convolutions(network)) {
    specs.push_back({.name = feature_name(one.index, "weight"),
                     .shape = {one.out, one.in, one.kernel, one.kernel},
                     .other_names = {slice_name(network, one.index, "weight")}});
    specs.push_back({.name = feature_name(one.index, "bias"),
                     .shape = {one.out},
                     .other_names = {slice_name(network, one.index, "bias")}});
  }
  for (const Convolution& one : convolutions(network)) {
    if (one.compared == 0) continue;
    specs.push_back({.name = head_name(one.compared),
                     .shape = {1, one.out, 1, 1},
                     .other_names = {fmt::format("lins.{}.model.1.weight", one.compared - 1)}});
  }
  for (const char* unread : {"classifier.", "scaling_layer.", "lins."}) {
    specs.push_back(unneeded_tensors(unread, ""));
  }
  return specs;
}

Lpips::Lpips(LpipsNetwork network, const TensorMap& tensors, const std::string& file)
    : network_(network) {
  const std::vector<WeightSpec> specs = lpips_tensors(network);
  require_weights(specs, tensors, file, "LPIPS");
  const auto spellings = [&](const std::string& name) {
    std::vector<std::string> names = {name};
    for (const WeightSpec& spec : specs) {
      if (spec.name != name) continue;
      names.insert(names.end(), spec.other_names.begin(), spec.other_names.end());
    }
    return names;
  };
  for (const auto& [name, tensor] : resolve_weights(specs, tensors, spellings, file)) {
    weights_.set(name, tensor.to(at::kFloat));
  }
}

Lpips Lpips::to(at::Device device, at::ScalarType dtype) const {
  Lpips moved = *this;
  for (const auto& [name, tensor] : weights_) moved.weights_.set(name, tensor.to(device, dtype));
  return moved;
}

at::Device Lpips::device() const {
  return weights_.begin()->second.device();
}

int64_t Lpips::smallest_side() const {
  // AlexNet: 11 at the first convolution, then 3 twice at strides of 2; VGG16 halves four times.
  constexpr int64_t kAlexNetSide = 31;
  constexpr int64_t kVggSide = 16;
  return network_ == LpipsNetwork::kAlexNet ? kAlexNetSide : kVggSide;
}

std::vector<at::Tensor> Lpips::features(const at::Tensor& image) const {
  // The means and deviations of ImageNet for pixels in -1..1.
  const at::Tensor shift = per_channel({-.030, -.088, -.188}, image);
  const at::Tensor scale = per_channel({.458, .448, .450}, image);
  const int64_t pool = network_ == LpipsNetwork::kAlexNet ? 3 : 2;
  std::vector<at::Tensor> compared;
  at::Tensor x = (image - shift) / scale;
  for (const Convolution& one : convolutions(network_)) {
    if (one.pooled) x = at::max_pool2d(x, {pool, pool}, {2, 2});
    x = at::conv2d(x, weights_.at(feature_name(one.index, "weight")),
                   weights_.at(feature_name(one.index, "bias")), one.stride, one.padding)
            .relu_();
    if (one.compared > 0) compared.push_back(x);
  }
  return compared;
}

at::Tensor Lpips::layers(const at::Tensor& a, const at::Tensor& b) const {
  if (a.size(2) < smallest_side() || a.size(3) < smallest_side()) {
    throw Error(ErrorKind::kInput,
                fmt::format("lpips needs images of at least {} pixels a side, got {} x {}",
                            smallest_side(), a.size(2), a.size(3)));
  }
  const std::vector<at::Tensor> of_a = features(a);
  const std::vector<at::Tensor> of_b = features(b);
  std::vector<at::Tensor> terms;
  for (size_t layer = 0; layer < of_a.size(); ++layer) {
    const at::Tensor difference = (normalised(of_a[layer]) - normalised(of_b[layer])).square();
    const at::Tensor head = weights_.at(head_name(static_cast<int64_t>(layer) + 1));
    terms.push_back(at::conv2d(difference, head).mean({1, 2, 3}));
  }
  return at::stack(terms, 1);
}

}  // namespace kvscope
