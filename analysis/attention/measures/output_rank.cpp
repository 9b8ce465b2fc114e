#include "analysis/attention/measures/output_rank.h"

#include <ATen/ATen.h>

#include "analysis/attention/attention_axes.h"

namespace kvscope {
namespace {

/// [images, heads, group, queries, head_dim] of a tile's queries; 0 for queries that are padding.
at::Tensor outputs_of(ObservedStep& step, const RowTile& tile) {
  std::vector<at::Tensor> of_heads;
  for (int64_t image = 0; image < step.images(); ++image) {
    for (int64_t head = 0; head < step.heads(); ++head) {
      of_heads.push_back(at::matmul(tile.rows(image, head), step.values(image, head))
                             .unflatten(0, {tile.group(), -1}));
    }
  }
  return at::stack(of_heads).unflatten(0, {step.images(), step.heads()});
}

}  // namespace

StatisticInfo OutputRank::info() const {
  return {.axes = {"layer", "head", "step_group"},
          .unit = "rank",
          .needs = {.attention_rows = true, .values = true}};
}

void OutputRank::begin_model(const CacheGeometry& geometry) {
  groups_ = step_groups(geometry.steps, geometry.line_tokens);
  group_of_ = group_of_steps(groups_);
  outputs_.assign(static_cast<size_t>(geometry.layers), {});
  means_ =
      MeanArray({layer_axis(geometry.layers), head_axis(geometry.heads), step_group_axis(groups_)},
                {{"sampled_queries", sampled_queries_}});
}

void OutputRank::observe(ObservedStep& step) {
  const int64_t index = step.step().index;
  const size_t group = group_of_[static_cast<size_t>(index)];
  std::vector<at::Tensor>& outputs = outputs_[static_cast<size_t>(step.layer())];
  if (index == groups_[group].first) outputs.clear();
  step.visit_rows(sampled_queries_,
                  [&](const RowTile& tile) { outputs.push_back(outputs_of(step, tile)); });
  if (index != groups_[group].last) return;
  const at::Tensor ranks =
      rank_(at::linalg_svdvals(at::cat(outputs, 3).to(at::kCPU, at::kDouble))).mean(2);
  outputs.clear();
  for (int64_t image = 0; image < step.images(); ++image) {
    for (int64_t head = 0; head < step.heads(); ++head) {
      means_.add(means_.index(step.layer(), head, group), ranks[image][head].item<double>());
    }
  }
}

}  // namespace kvscope
