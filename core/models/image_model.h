#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/image.h"
#include "core/checkpoint/weight_spec.h"
#include "core/config/value.h"
#include "core/engine/attend.h"
#include "core/models/shared/generation_times.h"

namespace kvscope {

/// Settings of a generation that belong to no model in particular (the `gen` group).
struct SamplingOptions {
  std::vector<double> cfg = {3.0};  ///< guidance, one value or one per step
  std::vector<double> tau = {1.0};  ///< temperature, one value or one per step
  int64_t top_k = 900;
  double top_p = 0.97;
};

/// A batch of generated images.
struct GeneratedBatch {
  std::vector<Image> images;                 ///< [B]
  std::vector<std::vector<uint8_t>> tokens;  ///< [B][bytes] packed, see packed_tokens.h
  double text_ms = 0;                        ///< tokenizing and encoding the prompts
  double decode_ms = 0;                      ///< tokens to images
  GenerationTimes times;                     ///< of the steps
};

/// A text-to-image model as a sweep sees it: prompts in, images out, through a cache it is lent.
class ImageModel {
 public:
  virtual ~ImageModel() = default;
  [[nodiscard]] virtual const CacheGeometry& geometry() const = 0;
  /// Cache rows of a batch under these options (2 an image where guidance is on).
  [[nodiscard]] virtual int64_t rows(int64_t images, const SamplingOptions& options) const = 0;
  /// One generator per image: image b depends on prompts[b] and generators[b] alone.
  virtual GeneratedBatch generate(std::span<const std::string> prompts,
                                  const SamplingOptions& options,
                                  std::span<at::Generator> generators,
                                  AttentionContext& context) = 0;
};

/// Facts of a model that need no weights; from its `model` group.
struct ModelFacts {
  std::string name;
  std::string kind;  ///< "next_scale" | "next_token"
  CacheGeometry cache;
  int64_t parameters = 0;    ///< of the transformer
  int64_t image_height = 0;  ///< pixels
  int64_t image_width = 0;
  /// Cache slots of a row that the published code allocates where it is more than is ever held; 0:
  /// no more than that.
  int64_t published_slots = 0;
  double unguided = 1.0;  ///< the gen.cfg that means no guidance: one row per image
};

/// Throws Error(kConfig) for what the `model` group says wrong, with the nearest right thing.
ModelFacts model_facts(const ConfigNode& model);

/// Every tensor that the model of a `model` group needs from its checkpoint files, by published
/// name.
std::vector<WeightSpec> model_tensors(const ConfigNode& model);

/// Loads, or makes with random weights (`weights: random`), the model of a `model` group. Relative
/// paths are below `root`. Throws Error(kInput) for checkpoints that are missing, damaged or do not
/// fit.
std::unique_ptr<ImageModel> open_model(const ConfigNode& model,
                                       const std::string& root,
                                       at::Device device);

/// One generator per image: from (seed, prompt id, replica) alone, so that batches, order, resume
/// and device do not matter. Of the CPU; sample_classes() carries its numbers to other devices.
at::Generator image_generator(uint64_t seed, uint64_t prompt_id, uint64_t replica);

}  // namespace kvscope
