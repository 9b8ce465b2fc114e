#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace kvscope {

/// One value a scale from a scalar or a list. Throws Error(kConfig) naming `what` for a wrong
/// length.
std::vector<double> per_scale(const std::vector<double>& values,
                              size_t scales,
                              const std::string& what);

/// True where any scale is guided: the batch is then doubled, conditional rows above unconditional
/// ones. `unguided` is the strength that means none: 1 where logits are u + cfg (c - u), 0 where
/// they are c + cfg (c - u).
bool guided(const std::vector<double>& cfg, double unguided = 1.0);

/// Rows of the cache that a batch of `images` needs.
int64_t cache_rows(int64_t images, const std::vector<double>& cfg, double unguided = 1.0);

}  // namespace kvscope
