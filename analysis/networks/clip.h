#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"

namespace kvscope {

/// How a checkpoint of CLIP spells its tensors.
enum class ClipNames {
  kOpenAi,       ///< "visual.conv1.weight", with scalars "input_resolution" and the like
  kOpenClip,     ///< the same names without those scalars: open_clip, LAION, HPSv2
  kTransformers  ///< "vision_model.embeddings.patch_embedding.weight"
};

/// x sigmoid(1.702 x), which OpenAI trained with, or the exact GELU of everybody else. Weights do
/// not say; the wrong one moves cosines by about .01.
enum class ClipActivation { kQuickGelu, kGelu };

/// What the names and shapes of a checkpoint do not tell; none: by the publishers' own models.
struct ClipSettings {
  std::optional<ClipActivation> activation{};  ///< none: quick-GELU under OpenAI's names
  std::optional<int64_t> vision_heads{};       ///< none: 16 from width 1024 on, else width / 64
  std::optional<int64_t> text_heads{};         ///< none: width / 64
};

/// CLIP (Radford et al. 2021) with a vision transformer, of any size: OpenAI's, open_clip's and
/// HPSv2's ViT-H-14.
class Clip {
 public:
  struct Sizes {
    int64_t pixels = 0;  ///< a side of its images
    int64_t patch = 0;
    int64_t vision_width = 0;
    int64_t vision_layers = 0;
    int64_t vision_heads = 0;
    int64_t text_width = 0;
    int64_t text_layers = 0;
    int64_t text_heads = 0;
    int64_t context = 0;
    int64_t vocabulary = 0;
    int64_t features = 0;
  };

  /// `tensors` under any of the ClipNames. Throws Error(kInput) listing what is missing or does not
  /// fit; `file` names it in messages. A CLIP of a residual network is refused by name.
  Clip(const TensorMap& tensors, const std::string& file, const ClipSettings& settings = {});

  [[nodiscard]] Clip to(at::Device device, at::ScalarType dtype) const;
  [[nodiscard]] at::Device device() const;
  [[nodiscard]] const Sizes& sizes() const { return sizes_; }
  [[nodiscard]] ClipNames names() const { return names_; }
  [[nodiscard]] ClipActivation activation() const { return activation_; }
  /// exp(logit_scale); 1 where the file has none.
  [[nodiscard]] double logit_scale() const;

  /// A tower's steps, for those who compare them with recorded ones.
  struct Trace {
    at::Tensor embedded{};             ///< what the first block gets, [rows, tokens, width]
    std::vector<at::Tensor> blocks{};  ///< outputs, likewise
  };
  /// [images, features], not normalised, of `pixels` [images, 3, side, side] as
  /// clip_pixels() makes them, of the weights' type and device.
  [[nodiscard]] at::Tensor image_features(const at::Tensor& pixels, Trace* trace = nullptr) const;
  /// [texts, features], not normalised, of ids [texts, context]: at the place of the largest id,
  /// which is the end token.
  [[nodiscard]] at::Tensor text_features(const at::Tensor& ids, Trace* trace = nullptr) const;

 private:
  [[nodiscard]] const at::Tensor& weight(const std::string& name) const {
    return weights_.at(name);
  }
  [[nodiscard]] at::Tensor norm(const std::string& name, const at::Tensor& x) const;
  [[nodiscard]] at::Tensor block(const std::string& name,
                                 const at::Tensor& x,
                                 int64_t heads,
                                 bool is_causal) const;
  [[nodiscard]] at::Tensor tower(const std::string& prefix,
                                 at::Tensor x,
                                 int64_t layers,
                                 int64_t heads,
                                 bool is_causal,
                                 Trace* trace) const;

  ClipNames names_ = ClipNames::kOpenClip;
  ClipActivation activation_ = ClipActivation::kGelu;
  Sizes sizes_{};
  TensorMap weights_;  // by OpenAI's names
};

/// The rows of each divided by their lengths.
at::Tensor unit_rows(const at::Tensor& features);

}  // namespace kvscope
