#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/checkpoint/weight_spec.h"
#include "core/config/value.h"

namespace kvscope {

/// Weights of a model that belong together, as they lie in memory once loaded.
struct WeightPart {
  std::string name;  ///< "transformer", "text encoder", "image decoder"
  int64_t parameters = 0;
  int64_t bytes = 0;
  at::ScalarType type = at::kFloat;  ///< of nearly all of them
};

/// A part of `specs`, buffers left out, each number of it in `type` whatever the file has.
WeightPart weight_part(std::string name, const std::vector<WeightSpec>& specs, at::ScalarType type);

/// Likewise, each tensor in the type that `type_of` says; `type` is that of most numbers.
WeightPart weight_part(std::string name,
                       const std::vector<WeightSpec>& specs,
                       const std::function<at::ScalarType(const WeightSpec&)>& type_of);

/// The tensors of one phase of a generation where most of them are there at once, without weights
/// and KV cache. An estimate from the shapes that the code computes, checked against what LibTorch
/// hands out (tests/experiments/commands/plan_memory_test.cpp); libraries' own scratch memory, such
/// as that of convolutions, is not in it.
struct PhaseMemory {
  std::string name;  ///< "text", "steps", "image"
  int64_t bytes = 0;
};

/// What a model takes beside its KV cache.
struct ModelMemory {
  std::vector<WeightPart> weights;
  std::vector<PhaseMemory> activations;

  [[nodiscard]] int64_t weight_bytes() const;
  /// Of the phase that needs most: they follow each other.
  [[nodiscard]] int64_t activation_bytes() const;
};

/// The shape of a batch: cache rows are twice the images under guidance.
struct BatchShape {
  int64_t images = 1;
  int64_t rows = 1;
};

/// Reads no weights. Throws Error(kConfig) as model_facts().
ModelMemory model_memory(const ConfigNode& model, const BatchShape& batch);

/// Elements at once while classes are sampled out of `logits` numbers: they, those that are likely
/// enough, sorted with their order (two each), their shares and running sums.
int64_t sampling_elements(int64_t logits);

/// Bytes of `images` of so many pixels at once on their way from [-1, 1] to bytes.
int64_t image_bytes(int64_t images, int64_t pixels);

/// Phase "image": `images` of so many pixels are decoded one after another, which takes
/// `decoder_elements` floats beside those decoded before; then all of them become bytes.
PhaseMemory image_phase(int64_t images, int64_t pixels, int64_t decoder_elements);

}  // namespace kvscope
