#include <ATen/ATen.h>
#include <fmt/format.h>

#include "experiments/verify/policies/tensors.h"
#include "experiments/verify/policies/window.h"
#include "policies/shares/pyramid_schedule.h"

namespace kvscope::verify {
namespace {

constexpr int64_t kMostLayers = 1024;

/// Layers' counts of one line of a schedule's parameters. KVCache-Factory: C, w, L, q, beta;
/// kvpress: w, L, q, beta and the compression ratio.
std::vector<int64_t> schedule_of(const PolicyCase& of,
                                 bool kvpress,
                                 const int64_t* params,
                                 double ratio) {
  const int64_t budget = kvpress ? 0 : params[0];
  const int64_t* rest = params + (kvpress ? 0 : 1);
  const int64_t window = rest[0];
  const int64_t layers = rest[1];
  const int64_t tokens = rest[2];
  const int64_t beta = rest[3];
  const bool fits = layers >= 1 && layers <= kMostLayers && beta >= 1 &&
                    (kvpress ? ratio >= 0 && ratio <= 1 : budget >= window);
  if (!fits) {
    of.fail(fmt::format("a schedule of {} layers, beta {}, budget {}, window {}, ratio {}", layers,
                        beta, budget, window, ratio));
  }
  return kvpress ? pyramid_doubles(static_cast<double>(tokens) * (1 - ratio), window, layers,
                                   tokens, static_cast<double>(beta))
                 : pyramid_integers(budget, window, layers, tokens, beta);
}

void check_schedules(const PolicyCase& of, bool kvpress, PolicyGroups& groups) {
  const int64_t lines = of.shape("params").empty() ? 0 : of.shape("params")[0];
  const int64_t columns = kvpress ? 4 : 5;
  const at::Tensor params = of.integers("params", {lines, columns}, 0, kLargestSize);
  const at::Tensor ratios = kvpress ? of.tensor("ratio", {lines}).to(at::kDouble) : at::Tensor();
  KeptLists computed;
  for (int64_t line = 0; line < lines; ++line) {
    computed.push_back(schedule_of(of, kvpress, params[line].const_data_ptr<int64_t>(),
                                   kvpress ? ratios[line].item<double>() : 0));
  }
  groups.exact("schedule", of, "kept", computed, of.kept("kept", {lines}, kLargestSize));
}

void check_selection(const PolicyCase& of, bool kvpress, PolicyGroups& groups) {
  const int64_t tokens = of.integer("N");
  const int64_t layers = of.integer("L", 1, kMostLayers);
  const int64_t layer = of.integer("layer", 0, layers - 1);
  const double beta = of.number("beta", 1, kLargestCaseSize);
  const int64_t window = of.integer("w");
  const std::vector<int64_t> schedule =
      kvpress
          ? pyramid_doubles(
                static_cast<double>(tokens) * (1 - of.number("compression_ratio", 0, 1)), window,
                layers, tokens, beta)
          : pyramid_integers(of.integer("C", window), window, layers, tokens, of.integer("beta"));
  const int64_t count = schedule[static_cast<std::size_t>(layer)];
  groups.exact("schedule", of, "kept (params)", at::tensor(count),
               at::tensor(of.integer("kept", 0)));
  // KVCache-Factory asks whether to evict at all of the budget, not of the layer's count.
  const bool evicts = kvpress || tokens >= of.integer("C");
  check_window_selection(of, of.word("form", kWindowForms), evicts ? count : tokens + 1, groups);
}

}  // namespace

std::vector<GroupResult> verify_policy_pyramidkv(GoldenFile& file) {
  PolicyGroups groups;
  for (const PolicyCase& of : policy_cases(file)) {
    const bool kvpress = of.word("form", {"KVCache-Factory", "kvpress"}) == "kvpress";
    if (of.has_tensor("params")) {
      check_schedules(of, kvpress, groups);
    } else {
      check_selection(of, kvpress, groups);
    }
  }
  return groups.results();
}

}  // namespace kvscope::verify
