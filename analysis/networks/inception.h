#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "core/base/image.h"
#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"

namespace kvscope {

/// How a picture becomes the 299 x 299 pixels that the network sees. Distances of features of two
/// conventions are not comparable.
enum class InceptionInput {
  kClean,   ///< clean-fid: bicubic with antialiasing, a channel at a time in floats, not rounded
  kPytorch  ///< pytorch-fid: bilinear without antialiasing, as its network does
};

/// [1, 3, 299, 299], as features() takes it.
at::Tensor inception_input(const Image& image, InceptionInput input, at::ScalarType dtype);

/// The Inception-v3 of the Frechet inception distance (Heusel et al. 2017) as pytorch-fid publishes
/// it, converted from TensorFlow's graph of 2015: average pools leave padding out, and the last
/// block takes a maximum where torchvision's takes a mean.
class Inception {
 public:
  static constexpr int64_t kFeatures = 2048;

  /// `tensors` by pytorch-fid's names ("Mixed_5b.branch1x1.conv.weight"). Throws Error(kInput)
  /// listing what is missing or has another shape; `file` names it in messages.
  Inception(const TensorMap& tensors, const std::string& file);

  [[nodiscard]] Inception to(at::Device device, at::ScalarType dtype) const;

  [[nodiscard]] at::Device device() const;

  /// What the network computes of images [images, 3, 299, 299], of the weights' type and device:
  /// spatial means, [images, channels].
  struct Features {
    at::Tensor first_pool;   ///< 64
    at::Tensor second_pool;  ///< 192
    at::Tensor mixed_6e;     ///< 768
    at::Tensor pool;         ///< 2048, what FID and KID compare
  };
  [[nodiscard]] Features features(const at::Tensor& images) const;

 private:
  TensorMap weights_;
};

/// Every tensor it reads, and what a published file has besides.
std::vector<WeightSpec> inception_tensors();

}  // namespace kvscope
