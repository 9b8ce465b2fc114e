#pragma once

// Inputs that the emulated CUDA kernels are tried on. Included behind cuda_emulation.h.
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/device/device_tensors.h"
#include "kernels/device/key_tile.h"
#include "tests/support/ragged_case.h"

namespace kvscope {

inline constexpr double kEmulatedScale = 0.2;

/// As the CUDA plug-in passes them, of tensors on the CPU.
inline KeyArguments key_arguments(const RaggedCase& c,
                                  const std::vector<int64_t>& offsets,
                                  const float* lse,
                                  bool causal) {
  return {.q = device_step(c.q),
          .k = device_step(c.k),
          .history_keys = device_arena(c.arena_keys),
          .lse = lse,
          .begin = c.begin.data(),
          .length = c.length.data(),
          .column_offsets = offsets.data(),
          .rows = c.rows,
          .heads = c.heads,
          .group = c.group,
          .queries = c.queries,
          .tokens = c.tokens,
          .most_columns = *std::max_element(c.length.begin(), c.length.end()) + c.tokens,
          .head_dim = static_cast<int>(c.head_dim),
          .softmax_scale = static_cast<float>(kEmulatedScale),
          .causal = causal};
}

/// Empty, single, tile-sized and longer histories; spiky keys; every mixture of types and masks;
/// groups of query heads.
inline std::vector<RaggedCase> emulated_cases() {
  std::vector<RaggedCase> all;
  for (const int64_t head_dim : {17, 128, 200}) {
    for (const auto& [queries, tokens] : {std::pair<int64_t, int64_t>{1, 1}, {7, 45}, {33, 33}}) {
      RaggedCase c{.rows = 2,
                   .heads = 2,
                   .queries = queries,
                   .tokens = tokens,
                   .head_dim = head_dim,
                   .length = {0, 77, 1, 32},
                   .spike = 3};
      c.key_type = head_dim == 128 ? at::kBFloat16 : at::kFloat;
      c.fill();
      all.push_back(c);
    }
  }
  for (const auto& [group, queries] : {std::pair<int64_t, int64_t>{2, 7}, {4, 1}, {4, 33}}) {
    RaggedCase c{.rows = 2,
                 .heads = 2,
                 .group = group,
                 .queries = queries,
                 .tokens = queries,
                 .head_dim = 24,
                 .length = {0, 40, 1, 32},
                 .spike = 3};
    c.fill();
    all.push_back(c);
  }
  return all;
}

}  // namespace kvscope
