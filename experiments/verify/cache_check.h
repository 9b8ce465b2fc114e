#pragma once

#include <cstdint>

#include "core/engine/kv_cache.h"
#include "experiments/verify/golden_file.h"
#include "experiments/verify/verify.h"

namespace kvscope::verify {

/// Keys, or values, of one layer [rows, heads, tokens, head_dim]; every row and head of it must
/// hold as many tokens.
at::Tensor cached_layer(const KvCache& cache, int64_t layer, bool keys);

/// Compares "cache.k.L", or "cache.v.L", [rows, heads, tokens, head_dim] with the cache of a
/// generation of `images` images: of the layers that are recorded (each holds what the layers
/// before it did), for all images or the first ones (conditional rows, then unconditional ones).
GroupResult check_cache(GoldenFile& file, const KvCache& cache, int64_t images, bool keys);

}  // namespace kvscope::verify
