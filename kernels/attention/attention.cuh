#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/attention/attention_cuda.h"

namespace kvscope {

// One block: 32 queries of one (row, query head). Four neighbouring threads share a query; each
// scores every fourth key of a tile of 32, and sums every fourth channel of the values.
inline constexpr int kAttentionTile = 32;
inline constexpr int kAttentionLanes = 4;
inline constexpr int kAttentionThreads = kAttentionTile * kAttentionLanes;

/// Bytes of shared memory: queries, then keys or values, then weights. Each row has one float to
/// spare, so that the same channel of different rows lies in different banks.
inline size_t attention_shared_bytes(int head_dim) {
  return sizeof(float) * kAttentionTile * (2 * (head_dim + 1) + kAttentionTile + 1);
}

/// tile[i][d] = factor * rows[first + i][d], zeros from `count` on.
__device__ inline void load_attention_tile(
    const DeviceRows& rows, int64_t first, int64_t count, int head_dim, float factor, float* tile) {
  for (int e = threadIdx.x; e < kAttentionTile * head_dim; e += kAttentionThreads) {
    const int i = e / head_dim;
    const int d = e % head_dim;
    tile[i * (head_dim + 1) + d] = i < count ? factor * rows.load(first + i, d) : 0.0F;
  }
}

__device__ inline float max_of_lanes(float value) {
  value = fmaxf(value, __shfl_xor_sync(0xffffffffU, value, 1));
  return fmaxf(value, __shfl_xor_sync(0xffffffffU, value, 2));
}

__device__ inline float sum_of_lanes(float value) {
  value += __shfl_xor_sync(0xffffffffU, value, 1);
  return value + __shfl_xor_sync(0xffffffffU, value, 2);
}

/// The online softmax of one query as its four threads hold it: maximum and total in each, channels
/// lane, lane + 4, ... of the weighted sum of values.
template <int kChannels>
struct AttentionState {
  float maximum = -INFINITY;
  float total = 0.0F;
  float sums[kChannels] = {};
};

/// Feeds one part, history or current step, to the state. `last_seen` is the last key this thread's
/// query sees. Only the channels are unrolled, as they live in registers: unrolling more multiplies
/// the code, and the time to compile it, for nothing measurable.
template <int kChannels>
__device__ void attend_part(const DeviceRows& keys,
                            const DeviceRows& values,
                            int64_t tokens,
                            int64_t last_seen,
                            int head_dim,
                            const float* query_tile,
                            float* key_tile,
                            float* weights,
                            AttentionState<kChannels>& state) {
  constexpr int kKeys = kAttentionTile / kAttentionLanes;
  const int query = threadIdx.x / kAttentionLanes;
  const int lane = threadIdx.x % kAttentionLanes;
  const int stride = head_dim + 1;
  const float* q = query_tile + query * stride;
  float* weight = weights + query * (kAttentionTile + 1);
  for (int64_t first = 0; first < tokens; first += kAttentionTile) {
    const int64_t count = tokens - first;
    __syncthreads();  // the values of the tile before have been read
    load_attention_tile(keys, first, count, head_dim, 1.0F, key_tile);
    __syncthreads();

    float scores[kKeys];
    float tile_maximum = -INFINITY;
    for (int c = 0; c < kKeys; ++c) {
      const int j = lane + kAttentionLanes * c;
      const float* k = key_tile + j * stride;
      float score = 0.0F;
#pragma unroll 4
      for (int d = 0; d < head_dim; ++d) score += q[d] * k[d];
      scores[c] = score;
      if (j < count && first + j <= last_seen) tile_maximum = fmaxf(tile_maximum, score);
    }
    const float maximum = fmaxf(state.maximum, max_of_lanes(tile_maximum));
    // Where nothing is seen yet, any finite shift avoids exp(-inf + inf).
    const float shift = maximum == -INFINITY ? 0.0F : maximum;
    const float shrink = expf(state.maximum - shift);
    float total = 0.0F;
    for (int c = 0; c < kKeys; ++c) {
      const int j = lane + kAttentionLanes * c;
      const bool seen = j < count && first + j <= last_seen;
      const float p = seen ? expf(scores[c] - shift) : 0.0F;
      weight[j] = p;
      total += p;
    }
    state.maximum = maximum;
    state.total = state.total * shrink + sum_of_lanes(total);

    __syncthreads();  // all weights are written, all keys read
    load_attention_tile(values, first, count, head_dim, 1.0F, key_tile);
    __syncthreads();
#pragma unroll
    for (int c = 0; c < kChannels; ++c) state.sums[c] *= shrink;
#pragma unroll 1
    for (int j = 0; j < kAttentionTile; ++j) {
      const float p = weight[j];
      const float* value = key_tile + j * stride;
#pragma unroll
      for (int c = 0; c < kChannels; ++c) {
        const int d = lane + kAttentionLanes * c;
        if (d < head_dim) state.sums[c] += p * value[d];
      }
    }
  }
}

/// The equations are at ragged_attention(). Grid: (query tiles, query heads, rows); kChannels * 4
/// >= head_dim.
template <int kChannels>
__global__ void __launch_bounds__(kAttentionThreads) attention_kernel(const AttentionArguments a) {
  extern __shared__ float shared[];
  float* query_tile = shared;
  float* key_tile = query_tile + kAttentionTile * (a.head_dim + 1);
  float* weights = key_tile + kAttentionTile * (a.head_dim + 1);

  const int64_t head = blockIdx.y;
  const int64_t row = blockIdx.z;
  const int64_t key_head = head / a.group;
  const int64_t slot = row * a.heads + key_head;
  const int64_t query_slot = row * a.heads * a.group + head;
  const int64_t first_query = static_cast<int64_t>(blockIdx.x) * kAttentionTile;
  const int64_t query = first_query + threadIdx.x / kAttentionLanes;
  load_attention_tile(a.q.of(row, head), first_query, a.queries - first_query, a.head_dim,
                      a.softmax_scale, query_tile);

  AttentionState<kChannels> state;
#pragma unroll 1
  for (int part = 0; part < 2; ++part) {
    const bool history = part == 0;
    const bool causal = a.causal && !history;
    int64_t tokens = history ? a.length[slot] : a.tokens;
    const int64_t block_end = first_query + kAttentionTile;  // no query here sees beyond
    if (causal && block_end < tokens) tokens = block_end;
    attend_part(history ? a.history_keys.from(a.begin[slot]) : a.k.of(row, key_head),
                history ? a.history_values.from(a.begin[slot]) : a.v.of(row, key_head), tokens,
                causal ? query : tokens, a.head_dim, query_tile, key_tile, weights, state);
  }

  if (query >= a.queries) return;
  const int lane = threadIdx.x % kAttentionLanes;
  const bool empty = state.total == 0.0F;
  const float inverse = empty ? 0.0F : 1.0F / state.total;
  const int64_t offset = ((row * a.queries + query) * a.heads * a.group + head) * a.head_dim;
#pragma unroll
  for (int c = 0; c < kChannels; ++c) {
    const int d = lane + kAttentionLanes * c;
    if (d < a.head_dim) store(state.sums[c] * inverse, offset + d, a.out, a.q.layout.narrow);
  }
  if (lane == 0) {
    a.lse[query_slot * a.queries + query] = empty ? -INFINITY : state.maximum + logf(state.total);
  }
}

}  // namespace kvscope
