#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/value.h"
#include "core/engine/plan.h"
#include "core/models/image_model.h"

namespace kvscope {

/// The `gen` group: how images are drawn, and how many.
struct GenerationSettings {
  SamplingOptions sampling{};
  int64_t batch = 1;      ///< images generated at once
  uint64_t seed = 0;      ///< with prompt id and replica, the seed of an image
  int64_t replicas = 1;   ///< images of each prompt
  double unguided = 1.0;  ///< the model's cfg that means no guidance
  Cuts cuts = Cuts::kPerLayer;

  /// Cache rows of `images` images: two each where any step is guided.
  [[nodiscard]] int64_t rows(int64_t images) const;
};

/// Reads a composed, schema-checked config. Throws Error(kConfig) where cfg or tau is a list of
/// another length than the model has steps.
GenerationSettings generation_settings(const ConfigNode& config, const ModelFacts& facts);

/// One prompt; `id` stays the same when more prompts are asked for.
struct Prompt {
  uint64_t id = 0;
  std::string text{};
  std::string skill{};  ///< of captions of the shapes task; else empty
};

/// The prompts of a config: `prompt`, or the first gen.images of the `prompts` group. A number is
/// the text of its digits, as class-conditional models take it. Throws Error(kInput) for a prompts
/// file that cannot be read, Error(kConfig) where file or list has too few.
std::vector<Prompt> prompts_of(const ConfigNode& config);

}  // namespace kvscope
