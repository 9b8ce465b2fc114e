#include "analysis/attention/query_variance.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/engine/padding.h"
#include "kernels/attention_rows/attention_rows.h"
#include "policies/score/observation_window.h"

namespace kvscope {
namespace {

/// Evenly spaced queries that stand for all of a scale.
constexpr int64_t kQueries = 64;

}  // namespace

void QueryVariance::add(const LayerStep& layer_step, int64_t rows) {
  const StepInfo& step = layer_step.step;
  const CacheGeometry& geometry = layer_step.cache.plan().geometry();
  if (step.kind != StepKind::kScale || step.index != last_attending_step(geometry.steps)) return;
  sums_.resize(static_cast<size_t>(geometry.layers * geometry.heads), 0.0);
  const std::vector<int64_t> queries =
      patch_centres(step.queries(), std::min(kQueries, step.queries()), PatchCentre::kSpread);
  const auto count = static_cast<int64_t>(queries.size());
  const RaggedRows history = layer_step.cache.history(layer_step.layer);
  const at::Tensor packed = attention_rows(layer_step.q, layer_step.lse, history, layer_step.k,
                                           layer_step.softmax_scale, queries);
  const int64_t group = layer_step.group();
  fill_padding(packed, layer_step, group * count, 0.0);
  const std::vector<int64_t> offsets = column_offsets(history.length, step.queries());
  for (int64_t slot = 0; slot < rows * geometry.heads; ++slot) {
    const at::Tensor map = rows_of_slot(packed, offsets, group * count, slot)
                               .to(at::kDouble)
                               .unflatten(0, {group, -1});
    sums_[static_cast<size_t>(layer_step.layer * geometry.heads + slot % geometry.heads)] +=
        map.var(1, false).sum().item<double>() / static_cast<double>(group);
  }
}

}  // namespace kvscope
