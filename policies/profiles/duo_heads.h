#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/engine/plan.h"
#include "core/engine/rotation.h"
#include "policies/profiles/head_roles.h"

namespace kvscope {

/// DuoAttention (Xiao et al., arXiv:2410.10819): retrieval heads keep everything, streaming heads
/// the first tokens and the newest.

/// How much each head retrieves, without training, as kvpress estimates it: the mean query and mean
/// key of a sample, before rotation, stand at every position of the table; the score is the area
/// under the cumulated attention of the last position, averaged over positions and samples. A head
/// that looks at the newest tokens only has a small one. `mean_q` [samples, layers,
/// query heads, head_dim], `mean_k` [samples, layers, heads, head_dim] -> [layers, heads] fp32: of
/// a group of query heads the mean.
at::Tensor duo_head_scores(const at::Tensor& mean_q,
                           const at::Tensor& mean_k,
                           const RotationTable& table);

/// Heads that stream of `heads` at a ratio: round(ratio * heads), halves to even.
int64_t streaming_head_count(double ratio, int64_t heads);

/// A table for models that nobody has profiled: the lowest n heads of it are spread evenly over
/// layers and heads (radical inverse in base 2 of a running index). It says nothing of the heads.
HeadTable spread_heads(const CacheGeometry& geometry);

/// Who streams, and how many tokens each head may hold.
struct DuoHeads {
  std::vector<std::vector<uint8_t>> streams;  ///< [layers][heads]
  std::vector<std::vector<int64_t>> tokens;   ///< [layers][heads], `full` in retrieval heads
};

/// The budget as `heads` decide it: streaming heads hold `sinks` + `recent` tokens, where `recent`
/// shrinks to half of what the budget leaves beside the sinks; as many heads as then fit keep all
/// `full` tokens, and the streaming heads share what is left. The mean is exactly `budget`.
DuoHeads duo_by_heads(const HeadTable& table,
                      const CacheGeometry& geometry,
                      int64_t budget,
                      int64_t full,
                      int64_t sinks,
                      int64_t recent);

/// The budget as `recent` decides it: round(ratio * heads) stream and share what the others leave,
/// at least `sinks` + 1 tokens each. The mean is exactly `budget`, or more where retrieval heads
/// alone exceed it, or less where there is nobody to share it.
DuoHeads duo_by_recent(const HeadTable& table,
                       const CacheGeometry& geometry,
                       int64_t budget,
                       int64_t full,
                       int64_t sinks,
                       double ratio);

}  // namespace kvscope
