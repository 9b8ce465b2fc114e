#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"

namespace kvscope {

/// How a convolutional image network (the autoencoders of image generators) names its layers and
/// groups its norms.
struct ImageNetworkStyle {
  std::string convolution_wrapper;  ///< between a layer's name and ".weight": "" or ".conv"
  std::string norm_wrapper;         ///< "" or ".norm"
  int64_t norm_groups = 32;
  int64_t other_norm_groups = 0;  ///< where norm_groups does not divide the channels; 0: none
};

/// Collects the names and shapes of a network while it is walked in module order, and how much
/// ImageLayers holds at once on the way.
class ImageNetworkSpecs {
 public:
  /// `pixels` of an image where the walk begins; of no matter for names and shapes.
  explicit ImageNetworkSpecs(ImageNetworkStyle style, int64_t pixels = 1)
      : style_(std::move(style)), pixels_(pixels) {}

  void convolution(const std::string& name, int64_t in, int64_t out, int64_t kernel);
  void norm(const std::string& name, int64_t channels);
  /// norm1, conv1, norm2, conv2 and, where the channels change, nin_shortcut.
  void residual_block(const std::string& name, int64_t in, int64_t out);
  /// norm, q, k, v, proj_out.
  void attention(const std::string& name, int64_t channels);
  /// One head over all pixels, named otherwise than attention() does.
  void attends(int64_t channels);
  /// Twice the height and width, then NAME.conv.
  void upsample(const std::string& name, int64_t channels);
  /// Elements of the tensors of one image at once where they are most, input included. A
  /// convolution counts its input twice: the library copies it where it likes another layout.
  [[nodiscard]] int64_t peak_elements() const { return peak_elements_; }
  std::vector<WeightSpec> take() { return std::move(specs_); }

 private:
  void holds(int64_t channels) { peak_elements_ = std::max(peak_elements_, channels * pixels_); }

  ImageNetworkStyle style_;
  int64_t pixels_;
  int64_t peak_elements_ = 0;
  std::vector<WeightSpec> specs_;
};

/// The layers of such a network by name, over weights [out, in, k, k] and images [B, C, H, W].
/// Refers to `weights`, which must outlive it. Gradients pass through every one of them.
class ImageLayers {
 public:
  ImageLayers(ImageNetworkStyle style, const TensorMap& weights)
      : style_(std::move(style)), weights_(weights) {}

  /// Of a convolution's weights, which its images must have.
  [[nodiscard]] at::ScalarType type_of(const std::string& name) const;
  /// Keeps height and width.
  [[nodiscard]] at::Tensor convolution(const std::string& name, const at::Tensor& x) const;
  /// silu(group norm(x)); epsilon 1e-6.
  [[nodiscard]] at::Tensor norm_act(const std::string& name, const at::Tensor& x) const;
  /// x + conv2(act(norm2(conv1(act(norm1(x)))))), x through nin_shortcut where channels change.
  [[nodiscard]] at::Tensor residual_block(const std::string& name, const at::Tensor& x) const;
  /// One head over all pixels: x + proj_out(v softmax(q k / sqrt(C))), of the normed x.
  [[nodiscard]] at::Tensor attention(const std::string& name, const at::Tensor& x) const;
  /// Every pixel twice in both directions, then NAME.conv.
  [[nodiscard]] at::Tensor upsample(const std::string& name, const at::Tensor& x) const;
  /// NAME.conv at every second pixel. The window looks right and down: one row and column of zeros
  /// there and none on the other sides.
  [[nodiscard]] at::Tensor downsample(const std::string& name, const at::Tensor& x) const;

 private:
  [[nodiscard]] at::Tensor norm(const std::string& name, const at::Tensor& x) const;

  ImageNetworkStyle style_;
  const TensorMap& weights_;
};

/// Images [B, C, H, W] as a decoder begins with them. In bf16 on a CPU the channels of a pixel lie
/// side by side in memory, which all layers keep: the library convolves up to 1.2 times as fast so.
/// In fp32 it gains less than a tenth, and images would differ from earlier ones by a level.
at::Tensor in_layout_of_decoders(const at::Tensor& images);

/// Kaiming-uniform convolutions, norms at 1, biases at 0; sampled in the order of `specs`.
TensorMap random_image_network(const std::vector<WeightSpec>& specs, at::Generator generator);

}  // namespace kvscope
