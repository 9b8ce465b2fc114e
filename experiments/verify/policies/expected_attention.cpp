#include <ATen/ATen.h>

#include <cmath>

#include "core/models/shared/rotation_tables.h"
#include "experiments/verify/policies/tensors.h"
#include "policies/signals/expected_scores.h"

namespace kvscope::verify {
namespace {

void check_case(const PolicyCase& of, PolicyGroups& groups) {
  const std::string form = of.word("form", {"kvpress"});
  const int64_t rows = of.integer("B");
  const int64_t heads = of.integer("H");
  const int64_t tokens = of.integer("N");
  const int64_t head_dim = of.integer("D", 2, 1024);
  const int64_t sinks = of.integer("n_sink", 0, tokens - 1);
  const int64_t future = of.integer("n_future_positions", 1, 8192);
  if (head_dim % 2 != 0) of.fail("an odd number of channels cannot rotate");
  const at::Tensor q = of.input("q_pre_rope", {rows, heads, tokens, head_dim});
  const at::Tensor k = of.input("k", {rows, heads, tokens, head_dim});
  const at::Tensor v = of.input("v", {rows, heads, tokens, head_dim});

  at::Tensor counted = at::ones({rows, tokens}, q.options());
  counted.narrow(1, 0, sinks).fill_(0);
  const RotationTable table = of.line_rotation(tokens + future, head_dim);
  const at::Tensor positions = at::arange(tokens, tokens + future, at::kLong).unsqueeze(0);
  const QueryMoments moments = turned(query_moments(q, counted), mean_rotation(table, positions));
  groups.close("mu", of, "mu", moments.mean, of.input("mu", {rows, heads, head_dim}));
  const bool use_covariance = of.flag("use_covariance");
  if (use_covariance) {
    groups.close("cov", of, "cov", moments.covariance(),
                 of.input("cov", {rows, heads, head_dim, head_dim}));
  }

  const at::Tensor is_sink = at::arange(tokens, q.options().dtype(at::kLong)) < sinks;
  const at::Tensor scores = forced_scores(
      expected_scores(moments, k, v, is_sink.logical_not().expand({rows, heads, tokens}),
                      {.softmax_scale = 1 / std::sqrt(static_cast<double>(head_dim)),
                       .use_covariance = use_covariance,
                       .use_vnorm = of.flag("use_vnorm"),
                       .epsilon = of.number("epsilon", 0, 1e6)}),
      is_sink);
  groups.close("scores", of, "scores", scores, of.input("scores", {rows, heads, tokens}));
  const int64_t count = kvpress_tokens(tokens, of.number("compression_ratio", 0, 1));
  groups.exact("n_kept", of, "n_kept", at::tensor(count), at::tensor(of.integer("n_kept", 0)));
  groups.exact("kept", of, "kept", best_tokens(of, scores, {}, {{count}}),
               of.kept("kept", {rows, heads}, tokens));
}

}  // namespace

std::vector<GroupResult> verify_policy_expected_attention(GoldenFile& file) {
  PolicyGroups groups;
  for (const PolicyCase& of : policy_cases(file)) check_case(of, groups);
  return groups.results();
}

}  // namespace kvscope::verify
