#pragma once

#include "core/models/model_memory.h"
#include "core/models/next_token/family.h"

namespace kvscope::next_token {

/// What such a model takes beside its KV cache. Tables that stay in the type of the file are
/// counted in bf16, which published ones have.
ModelMemory memory_of(const NextTokenFamily& family,
                      const ModelDescription& model,
                      const BatchShape& batch);

}  // namespace kvscope::next_token
