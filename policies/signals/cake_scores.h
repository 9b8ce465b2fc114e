#pragma once

#include <ATen/core/Tensor.h>

namespace kvscope {

/// What CAKE (Qin et al., arXiv:2503.12491) reads off the attention of a
/// window of recent queries. `logits` [..., queries, tokens] fp32, -infinity where a query does not
/// see a key; queries that see nothing, which padding is, do not count. `in_window` [..., tokens]
/// bool: the window's own tokens, and columns that are no tokens.

/// How much the window looks at each token and how much that changes from query to query,
///   s_j = mean_i(a_ij) + gamma * var_i(a_ij),    a_i = softmax(logits_i),
/// with the unbiased variance, 0 for a single query. Returns [..., tokens].
at::Tensor mean_and_variance_scores(const at::Tensor& logits, double gamma);

/// How widely a window's attention is spread over the tokens before it, and how much that changes:
///   entropy = -sum over queries and tokens of a log(a + 1e-10),
///   variance = sum over tokens of var_i(a_ij),
/// over everything in front of queries and tokens: heads, and rows where there are several, as
/// published. fp32 softmax, sums in double.
struct AttentionSpread {
  double entropy = 0;
  double variance = 0;
};
AttentionSpread attention_spread(const at::Tensor& logits, const at::Tensor& in_window);

/// What a layer gains from a large cache: entropy^(1/tau1) * variance^(1/tau2). Needs tau1, tau2 >
/// 0; the published code has a pair for every model and budget, 1 and 1 otherwise.
double layer_preference(const AttentionSpread& spread, double tau1, double tau2);

}  // namespace kvscope
