#pragma once

#include <cstdint>
#include <span>

#include "core/checkpoint/tensor_map.h"
#include "core/models/image_model.h"
#include "core/models/next_token/description.h"
#include "core/models/next_token/generate.h"
#include "core/models/picture_tensors.h"

namespace kvscope::next_token {

/// A next-token family as a sweep sees it: all but how prompts become the prefill and where the
/// weights come from.
class PictureModel : public ImageModel {
 public:
  [[nodiscard]] const CacheGeometry& geometry() const override { return geometry_; }
  [[nodiscard]] int64_t rows(int64_t images, const SamplingOptions& options) const override;
  GeneratedBatch generate(std::span<const std::string> prompts,
                          const SamplingOptions& options,
                          std::span<at::Generator> generators,
                          AttentionContext& context) override;

 protected:
  /// Pixels are rounded as the family's published code does.
  PictureModel(const ModelDescription& description,
               int64_t condition_tokens,
               PixelRounding rounding);

  /// Conditional rows of all prompts above the unconditional ones, which only guided batches have.
  virtual Condition condition(std::span<const std::string> prompts, bool guided) = 0;

  /// To be set before the first generation.
  NextTokenModel model_;
  TensorMap picture_;          ///< the VQ decoder's tensors, bare names
  int64_t cfg_interval_ = -1;  ///< see guidance_of_token()

 private:
  CacheGeometry geometry_;
  VqConfig vq_;
  int64_t grid_height_;
  int64_t grid_width_;
  PixelRounding rounding_;
};

}  // namespace kvscope::next_token
