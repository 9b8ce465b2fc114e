#include "core/engine/in_cache_positions.h"

#include <ATen/ATen.h>

namespace kvscope {
namespace {

/// x [rows, heads, tokens, head_dim] turned back by `steps` positions, int64 of shape [rows, heads,
/// tokens] or what broadcasts to it; in fp32 whatever the type of x.
at::Tensor turned_back(const at::Tensor& x, const RotationTable& table, const at::Tensor& steps) {
  const at::Tensor flat = steps.reshape({-1}).to(table.cosine.device());
  std::vector<int64_t> shape = steps.sizes().vec();
  shape.push_back(table.cosine.size(1));
  const Rotation back{.cosine = table.cosine.index_select(0, flat).view(shape),
                      .sine = table.sine.index_select(0, flat).neg().view(shape),
                      .pairs = table.pairs};
  return rotate(x.to(at::kFloat), back).to(x.scalar_type());
}

}  // namespace

at::Tensor at_packed_positions(const at::Tensor& keys,
                               const RotationTable& table,
                               const at::Tensor& positions) {
  const at::Tensor packed = at::arange(positions.size(0), positions.options());
  return turned_back(keys.unsqueeze(0), table, (positions - packed).view({1, 1, -1})).squeeze(0);
}

InCacheKeys at_in_cache_positions(const KvCache& cache,
                                  const RotationTable& table,
                                  const AttentionInputs& inputs) {
  const int64_t layer = inputs.layer;
  const CacheGeometry& geometry = cache.plan().geometry();
  const RaggedRows seen = cache.visible_history(layer);
  InCacheKeys result;
  result.begin.assign(seen.begin.begin(), seen.begin.end());
  result.length.assign(seen.length.begin(), seen.length.end());
  // The whole region, whatever is held of it, so that the bytes of the copy are those of the plan.
  std::vector<int64_t> of_rows(static_cast<std::size_t>(seen.keys.size(0)), 0);  // unread: between
  std::vector<int64_t> of_current;
  for (int64_t row = 0; row < cache.rows(); ++row) {
    const int64_t unnumbered = table.skips_padding ? cache.padding(row) : 0;
    for (int64_t head = 0; head < geometry.heads; ++head) {
      const auto slot = static_cast<std::size_t>(row * geometry.heads + head);
      const auto origins =
          cache.origins(layer, row, head)
              .last(static_cast<std::size_t>(result.length[slot]));  // padding comes first
      for (std::size_t i = 0; i < origins.size(); ++i) {
        const int64_t position = position_of(origins[i], geometry.steps) - unnumbered;
        of_rows[result.begin[slot] + i] = position - static_cast<int64_t>(i);
      }
      of_current.push_back(inputs.step.first_token - unnumbered - result.length[slot]);
    }
  }
  const at::Tensor steps_of_rows = at::tensor(of_rows, at::kLong).view({1, 1, -1});
  const at::Tensor steps_of_current =
      at::tensor(of_current, at::kLong).view({cache.rows(), geometry.heads, 1});
  const at::Tensor& region = seen.keys;
  result.keys =
      turned_back(region.view({1, 1, region.size(0), region.size(1)}), table, steps_of_rows)
          .view(region.sizes());
  result.values = seen.values;
  const int64_t group = geometry.query_heads / geometry.heads;
  result.q = turned_back(inputs.q, table, steps_of_current.repeat_interleave(group, 1));
  result.k = turned_back(inputs.k, table, steps_of_current);
  return result;
}

}  // namespace kvscope
