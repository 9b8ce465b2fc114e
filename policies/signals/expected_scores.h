#pragma once

#include <ATen/core/Tensor.h>

#include "policies/signals/query_moments.h"

namespace kvscope {

/// What ExpectedAttention is made of; see expected_scores().
struct ExpectedForm {
  double softmax_scale = 1;
  bool use_covariance = true;
  bool use_vnorm = true;
  double epsilon = 0;
};

/// ExpectedAttention (Devoto et al., arXiv:2510.00636; kvpress): where future queries are normal
/// with mean m and covariance S, the expected attention of key j is in proportion to
///   a_j = softmax_j(s m . k_j + s^2 k_j^T S k_j / 2),  s the softmax scale,
/// and the score (a_j + epsilon) |v_j|. `keys`, `values` [rows, heads, tokens, head_dim] fp32;
/// `counted` [rows, heads, tokens] bool, undefined: all; the others are left out of the softmax and
/// have no attention. Without use_covariance S is left out, without use_vnorm the score is a_j.
/// `future` [rows, query heads, ...]: a_j is the mean over the query heads of a group.
/// -> [rows, heads, tokens]
at::Tensor expected_scores(const QueryMoments& future,
                           const at::Tensor& keys,
                           const at::Tensor& values,
                           const at::Tensor& counted,
                           const ExpectedForm& form);

}  // namespace kvscope
