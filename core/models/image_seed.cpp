#include "core/models/image_seed.h"

#include <ATen/CPUGeneratorImpl.h>

#include "core/base/split_mix.h"

namespace kvscope {

uint64_t image_seed(SeedRule rule, uint64_t seed, uint64_t prompt_id, uint64_t replica) {
  switch (rule) {
    case SeedRule::kFixed:
      return seed + replica;
    case SeedRule::kIndex:
      return seed + prompt_id + (replica << 32);
    case SeedRule::kHashed:
      break;
  }
  return split_mix(split_mix(split_mix(seed) + prompt_id) + replica);
}

at::Generator generator_of_seed(uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>();
  generator.set_current_seed(seed);
  return generator;
}

}  // namespace kvscope
