#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/models/shared/rotation_tables.h"
#include "experiments/verify/policies/tensors.h"
#include "policies/profiles/duo_heads.h"

namespace kvscope::verify {
namespace {

constexpr double kMaskRatio = 0.5;  // of kept_mask_layerN

HeadTable table_of(const at::Tensor& scores, const std::string& name) {
  std::vector<std::vector<double>> values;
  for (const at::Tensor& layer : scores.to(at::kCPU, at::kDouble).contiguous().unbind(0)) {
    const auto* first = layer.const_data_ptr<double>();
    values.emplace_back(first, first + layer.numel());
  }
  return {std::move(values), name};
}

at::Tensor mask_of(const std::vector<std::vector<uint8_t>>& is_low) {
  std::vector<at::Tensor> layers;
  for (const auto& layer : is_low) {
    layers.push_back(at::tensor(std::vector<int64_t>(layer.begin(), layer.end()), at::kLong));
  }
  return at::stack(layers);
}

/// [heads, tokens] 1 where a token stays: the first and the newest in heads that stream.
at::Tensor kept_mask(const PolicyCase& of, const std::vector<uint8_t>& streams, int64_t tokens) {
  const auto heads = static_cast<int64_t>(streams.size());
  const int64_t sinks = of.integer("sink", 0);
  const int64_t held = std::min(sinks + of.integer("recent", 0), tokens);
  std::vector<int64_t> counts;
  for (const uint8_t one : streams) counts.push_back(one != 0 ? held : tokens);
  const at::Tensor newest_first = at::arange(tokens, at::kFloat).expand({heads, tokens});
  const at::Tensor is_sink = at::arange(tokens, at::kLong) < std::min(sinks, held);
  at::Tensor mask = at::zeros({heads, tokens}, at::kLong);
  const KeptLists kept = best_tokens(of, newest_first, is_sink, counts);
  for (int64_t head = 0; head < heads; ++head) {
    for (const int64_t token : kept[head]) mask[head][token] = 1;
  }
  return mask;
}

void check_case(const PolicyCase& of, PolicyGroups& groups) {
  const int64_t layers = of.integer("L", 1, 1024);
  const int64_t heads = of.integer("H", 1, 1024);
  const int64_t head_dim = of.integer("D", 2, 1024);
  const int64_t samples = of.integer("samples");
  const int64_t positions = of.integer("q_len");
  if (heads * head_dim * positions > kLargestSize) {
    of.fail(fmt::format("{} heads of {} channels at {} positions are too many", heads, head_dim,
                        positions));
  }
  if (head_dim % 2 != 0) of.fail("an odd number of channels cannot rotate");
  const at::Tensor scores = duo_head_scores(of.input("mean_q", {samples, layers, heads, head_dim}),
                                            of.input("mean_k", {samples, layers, heads, head_dim}),
                                            of.line_rotation(positions, head_dim));
  groups.close("scores", of, "scores", scores, of.input("scores", {layers, heads}));

  const HeadTable table = table_of(scores, of.full_name("scores"));
  const CacheGeometry geometry{.layers = layers, .heads = heads};
  const std::vector<double> ratios = of.number_list("ratios", 0, 1);
  const auto count = static_cast<int64_t>(ratios.size());
  const std::vector<int64_t> recorded_counts = of.integer_list("n_streaming", 0, layers * heads);
  const at::Tensor recorded = of.integers("streaming", {count, layers, heads}, 0, 1);
  std::vector<int64_t> counts;
  for (int64_t i = 0; i < count; ++i) {
    counts.push_back(streaming_head_count(ratios[i], layers * heads));
    groups.exact("streaming", of, "streaming",
                 mask_of(lowest_heads(table, geometry, counts.back())), recorded[i]);
  }
  groups.exact("n_streaming", of, "n_streaming", KeptLists{counts}, KeptLists{recorded_counts});

  const auto half = lowest_heads(table, geometry, streaming_head_count(kMaskRatio, layers * heads));
  for (int64_t layer = 0; layer < layers; ++layer) {
    const std::string name = fmt::format("kept_mask_layer{}", layer);
    if (!of.has_tensor(name)) continue;
    const int64_t tokens = of.integer("N");
    groups.exact("kept_mask", of, name, kept_mask(of, half[layer], tokens),
                 of.integers(name, {heads, tokens}, 0, 1));
  }
}

}  // namespace

std::vector<GroupResult> verify_policy_duo_attention(GoldenFile& file) {
  PolicyGroups groups;
  for (const PolicyCase& of : policy_cases(file)) check_case(of, groups);
  return groups.results();
}

}  // namespace kvscope::verify
