#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"

namespace kvscope {

/// The convolutional network whose features LPIPS compares.
enum class LpipsNetwork { kAlexNet, kVgg16 };

/// Learned perceptual image patch similarity (Zhang et al. 2018), version 0.1: features of five
/// layers, each normalised to length 1 over its channels, squared differences weighted by a learned
/// non-negative vector, averaged over the layer's places, summed over layers.
class Lpips {
 public:
  /// `tensors`: the convolutions and the five heads, of one file or several, under any of their
  /// published names: torchvision's "features.0.weight"; the lpips package's "net.slice1.0.weight";
  /// "lin0.model.1.weight", "lins.0.model.1.weight". Throws Error(kInput) listing what is missing
  /// or has another shape; `file` names it in messages.
  Lpips(LpipsNetwork network, const TensorMap& tensors, const std::string& file);

  /// The same weights in another type or place.
  [[nodiscard]] Lpips to(at::Device device, at::ScalarType dtype) const;
  /// [images, 5]: a layer's term each, whose sum is the distance. `a`, `b` [images, 3, height,
  /// width] in -1..1, of the weights' type and device. Throws Error(kInput) for images that are too
  /// small for the network.
  [[nodiscard]] at::Tensor layers(const at::Tensor& a, const at::Tensor& b) const;
  [[nodiscard]] at::Device device() const;
  /// What each image needs at least, in pixels a side.
  [[nodiscard]] int64_t smallest_side() const;

 private:
  [[nodiscard]] std::vector<at::Tensor> features(const at::Tensor& image) const;

  LpipsNetwork network_;
  TensorMap weights_;
};

/// Every tensor it reads, by torchvision's and the lpips package's names.
std::vector<WeightSpec> lpips_tensors(LpipsNetwork network);

}  // namespace kvscope
