#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "core/engine/attend.h"

namespace kvscope {

/// Count, mean and scatter of the queries of each (row, query head).
struct QueryMoments {
  at::Tensor count;  ///< [rows, 1] fp32
  at::Tensor mean;   ///< [rows, query heads, head_dim] fp32; 0 where nothing counts
  /// [rows, query heads, head_dim, head_dim] fp32, sum of (q - mean)(q - mean)^T
  at::Tensor scatter;

  /// scatter / count, the biased covariance; 0 where nothing counts.
  [[nodiscard]] at::Tensor covariance() const;
};

/// Of `queries` [rows, query heads, tokens, head_dim]; `weight` [rows, tokens], 1 where a query
/// counts and 0 where it does not.
QueryMoments query_moments(const at::Tensor& queries, const at::Tensor& weight);

/// Of both together (Chan, Golub, LeVeque 1983): nothing cancels, however many steps are merged.
QueryMoments merged(const QueryMoments& a, const QueryMoments& b);

/// Queries before they were turned by position, each with whether it counts.
struct PlainQueries {
  at::Tensor queries;  ///< [rows, query heads, tokens, head_dim] fp32
  at::Tensor weight;   ///< [rows, tokens] fp32
};

/// The step's queries as projected, biased, normalised and scaled by whichever model, turned back
/// by the rotation they were turned by: exact for every family, as what was used is the source. Not
/// counted are padding, tokens at positions below `sinks`, and tokens without a position (rows of
/// the table that are zero: LlamaGen's condition).
PlainQueries plain_queries(const LayerStep& layer_step, int64_t sinks);

/// The mean over `positions` [rows or 1, tokens] of the table's rotations, which is no rotation any
/// more: [rows or 1, 1, 1, head_dim / 2].
Rotation mean_rotation(const RotationTable& table, const at::Tensor& positions);

/// The mean rotation of the next `most` queries after the current step, up to the last step that
/// attends. nullopt where the model does not rotate, or nothing
/// comes.
std::optional<Rotation> mean_future_rotation(const LayerStep& layer_step, int64_t most);

/// Moments of queries turned by a rotation R, or by a mean of rotations: R mean, R scatter R^T.
QueryMoments turned(const QueryMoments& moments, const Rotation& rotation);

}  // namespace kvscope
