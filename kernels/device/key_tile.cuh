#pragma once

#include "kernels/device/key_tile.h"

namespace kvscope {

// One block: 32 keys of one (row, head), held while queries stream by in tiles of 32. Four
// neighbouring threads share a key; each scores it for every fourth query.
inline constexpr int kKeyTile = 32;
inline constexpr int kKeyLanes = 4;
inline constexpr int kKeyThreads = kKeyTile * kKeyLanes;

/// Bytes of shared memory: keys, then queries. One float to spare a row keeps rows in different
/// banks.
inline size_t key_tile_shared_bytes(int head_dim) {
  return sizeof(float) * 2 * kKeyTile * (head_dim + 1);
}

inline dim3 key_tile_grid(const KeyArguments& a) {
  return dim3(static_cast<unsigned>((a.most_columns + kKeyTile - 1) / kKeyTile),
              static_cast<unsigned>(a.heads), static_cast<unsigned>(a.rows));
}

/// Scores this block's keys with `count` queries of every query head that reads them:
/// query_indices[w], or w itself where null. Calls visit(line, column, value), line = g * count + w
/// for query head g of the group: value is exp(score - lse), or the score where a.lse is null; 0 or
/// -inf where the query does not see the key. Every thread is called for one column and line
/// ascending.
template <typename Visit>
__device__ void visit_scores(const KeyArguments& a,
                             const int64_t* query_indices,
                             int64_t count,
                             const Visit& visit) {
  extern __shared__ float shared[];
  const int stride = a.head_dim + 1;
  float* key_tile = shared;
  float* query_tile = shared + kKeyTile * stride;
  const int64_t slot = static_cast<int64_t>(blockIdx.z) * a.heads + blockIdx.y;
  const DeviceRows history = a.history_keys.from(a.begin[slot]);
  const DeviceRows current = a.k.of(blockIdx.z, blockIdx.y);
  const int64_t length = a.length[slot];
  const int64_t columns = length + a.tokens;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kKeyTile;
  if (first >= columns) return;  // the whole block: slots differ in length

  for (int e = threadIdx.x; e < kKeyTile * a.head_dim; e += kKeyThreads) {
    const int64_t column = first + e / a.head_dim;
    const int channel = e % a.head_dim;
    float value = 0.0F;
    if (column < length) {
      value = history.load(column, channel);
    } else if (column < columns) {
      value = current.load(column - length, channel);
    }
    key_tile[e / a.head_dim * stride + channel] = value;
  }

  const int key = threadIdx.x / kKeyLanes;
  const int lane = threadIdx.x % kKeyLanes;
  const int64_t column = first + key;
  const float* k = key_tile + key * stride;
  const int64_t lines = a.group * count;
  for (int64_t first_line = 0; first_line < lines; first_line += kKeyTile) {
    __syncthreads();  // the queries before have been read
    for (int e = threadIdx.x; e < kKeyTile * a.head_dim; e += kKeyThreads) {
      const int64_t line = first_line + e / a.head_dim;
      const int channel = e % a.head_dim;
      float value = 0.0F;
      if (line < lines) {
        const DeviceRows queries = a.q.of(blockIdx.z, blockIdx.y * a.group + line / count);
        const int64_t w = line % count;
        value = a.softmax_scale * queries.load(query_indices ? query_indices[w] : w, channel);
      }
      query_tile[e / a.head_dim * stride + channel] = value;
    }
    __syncthreads();
#pragma unroll 1
    for (int i = lane; i < kKeyTile; i += kKeyLanes) {
      const int64_t line = first_line + i;
      if (line >= lines || column >= columns) break;
      const int64_t w = line % count;
      const int64_t query = query_indices ? query_indices[w] : w;
      const float* q = query_tile + i * stride;
      float score = 0.0F;
#pragma unroll 4
      for (int d = 0; d < a.head_dim; ++d) score += q[d] * k[d];
      const bool seen = !a.causal || column - length <= query;
      if (a.lse == nullptr) {
        visit(line, column, seen ? score : -INFINITY);
      } else {
        const int64_t query_slot = slot * a.group + line / count;
        visit(line, column, seen ? expf(score - a.lse[query_slot * a.queries + query]) : 0.0F);
      }
    }
  }
}

}  // namespace kvscope
