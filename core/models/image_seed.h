#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>

namespace kvscope {

/// What the seed of an image is made of. Under each it is the same whatever the batch, the order
/// and how many images are asked for.
enum class SeedRule : uint8_t {
  kHashed,  ///< of base seed, prompt and replica: no two images share one
  kFixed,   ///< base seed + replica: that of every prompt
  kIndex    ///< base seed + number of the prompt; replicas are 2^32 apart
};

uint64_t image_seed(SeedRule rule, uint64_t seed, uint64_t prompt_id, uint64_t replica);

/// A CPU generator at the beginning of a seed.
at::Generator generator_of_seed(uint64_t seed);

}  // namespace kvscope
