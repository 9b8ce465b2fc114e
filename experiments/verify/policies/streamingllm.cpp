#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/engine/in_cache_positions.h"
#include "core/models/shared/rotation_tables.h"
#include "experiments/verify/policies/tensors.h"
#include "experiments/verify/policies/trace.h"
#include "policies/policy.h"

namespace kvscope::verify {
namespace {

/// What a case asks of the policy.
struct Form {
  int64_t sinks = 0;
  int64_t budget = 1;
  bool before = false;     // evict_for_space before a chunk instead of an eviction after it
  bool rerotates = false;  // in-cache positions
};

/// Lets the policy decide, and writes down what the step saw: the state before the eviction.
class Witness : public CacheController {
 public:
  explicit Witness(Policy& policy) : policy_(policy) {}
  void begin_generation(int64_t rows) override { policy_.begin_generation(rows); }
  [[nodiscard]] Reading read(const KvCache& cache,
                             const StepInfo& step,
                             int64_t layer) const override {
    return policy_.read(cache, step, layer);
  }
  std::optional<KeptIndices> decide(const LayerStep& layer_step) override {
    seen = positions_of(layer_step, 0, 0);
    return policy_.decide(layer_step);
  }
  std::vector<int64_t> seen;  // positions, of the latest step

 private:
  Policy& policy_;
};

/// A run's state after every stored step, as the reference counts it: the step's tokens included,
/// evicted already (after) or not yet (before).
struct Trace {
  KeptLists kept;
  std::vector<at::Tensor> out;  // [heads, head_dim] of each step's last query
};

/// Runs q, k, v [heads, tokens, head_dim] through the policy's own cache and attention.
Trace run(const Form& form,
          const std::vector<StepInfo>& steps,
          const at::Tensor& q,
          const at::Tensor& k,
          const at::Tensor& v,
          const std::optional<RotationTable>& table) {
  const auto policy =
      policy_of(fmt::format("{{allocate: {{name: uniform, room: {}}}, score: recency, read: {},"
                            " protect: {{name: sinks, sink_tokens: {}}}}}",
                            form.before ? "next_step" : "none",
                            form.rerotates ? "in_cache_positions" : "all", form.sinks));
  const CacheGeometry geometry{
      .layers = 1, .heads = q.size(0), .head_dim = q.size(2), .steps = steps};
  const int64_t tokens = std::min(form.budget, full_cache_tokens(geometry.steps));
  const Plan plan = policy->plan(geometry, {.unit = BudgetUnit::kTokens,
                                            .amount = static_cast<double>(tokens),
                                            .moment = BudgetMoment::kEviction});
  KvCache cache(plan, 1, k.device());
  Witness witness(*policy);
  AttentionContext context{.cache = cache, .controller = &witness};
  context.rotation = table;
  witness.begin_generation(1);
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(2)));
  Trace trace;
  for (const StepInfo& step : steps) {
    if (!step.stored) break;
    const auto of_step = [&](const at::Tensor& x) {
      return x.narrow(1, step.first_token, step.queries()).unsqueeze(0).contiguous();
    };
    const at::Tensor out = attend(context, {.step = step,
                                            .layer = 0,
                                            .q = of_step(q),
                                            .k = of_step(k),
                                            .v = of_step(v),
                                            .softmax_scale = scale});
    trace.out.push_back(out[0].select(1, step.queries() - 1));
    trace.kept.push_back(form.before ? witness.seen : cache.positions(0, 0, 0));
  }
  return trace;
}

/// Which tokens stay of chunks, whatever they hold.
KeptLists kept_of_chunks(const Form& form, const std::vector<int64_t>& chunks) {
  std::vector<std::pair<int64_t, int64_t>> schedule;
  int64_t tokens = 1;
  for (const int64_t chunk : chunks) {
    schedule.emplace_back(1, chunk);
    tokens += chunk;
  }
  schedule.emplace_back(1, 1);  // the last step is never stored
  const at::Tensor zeros = at::zeros({1, tokens, 2});
  return run(form, next_scale_steps(schedule), zeros, zeros, zeros, std::nullopt).kept;
}

/// A trace lists what is kept after every step.
void check_size(const PolicyCase& of, int64_t steps, const Form& form) {
  if (steps * form.budget > kLargestSize) {
    of.fail(fmt::format("{} steps of up to {} kept tokens are too many", steps, form.budget));
  }
}

void check_trace(const PolicyCase& of, PolicyGroups& groups) {
  const std::vector<int64_t> chunks = of.integer_list("chunks", 1, kLargestCaseSize);
  const int64_t tokens = std::accumulate(chunks.begin(), chunks.end(), int64_t{0});
  if (chunks.empty() || tokens > kLargestCaseSize) of.fail("no chunks, or too many tokens");
  const std::string after = "__call__ after every append";
  const std::string before = "evict_for_space(n) before appending n (not before the first chunk)";
  const int64_t sinks = of.integer("start", 0);
  const Form form{.sinks = sinks,
                  .budget = sinks + of.integer("recent"),
                  .before = of.word("mode", {after, before}) == before};
  check_size(of, static_cast<int64_t>(chunks.size()), form);
  groups.exact(form.before ? "kept, evicting before" : "kept, evicting after", of, "kept",
               kept_of_chunks(form, chunks),
               of.kept("kept", {static_cast<int64_t>(chunks.size())}, tokens));
}

void check_rotation(const PolicyCase& of, PolicyGroups& groups) {
  const int64_t heads = of.integer("H", 1, 4096);
  const int64_t head_dim = of.integer("D", 2, 1024);
  const int64_t prompt = of.integer("prompt");
  const int64_t count = of.integer("steps", 0);
  const int64_t sinks = of.integer("start", 0);
  const Form form{.sinks = sinks,
                  .budget = sinks + of.integer("recent"),
                  .before = of.word("mode", {"before", "after"}) == "before",
                  .rerotates = true};
  if (head_dim % 2 != 0) of.fail("an odd number of channels cannot rotate");
  const int64_t tokens = prompt + count;
  check_size(of, count, form);
  const RotationTable table = of.line_rotation(tokens + 1, head_dim);
  const auto read = [&](const std::string& name) {
    return of.input(name, {heads, tokens, head_dim});
  };
  const auto placed = [&](const at::Tensor& x) {
    return rotate(x.unsqueeze(0), at_positions(table, at::arange(tokens, at::kLong).unsqueeze(0)))
        .squeeze(0);
  };
  const at::Tensor k = placed(read("k"));
  const Trace trace =
      run(form, next_token_steps(prompt, count + 1), placed(read("q")), k, read("v"), table);
  groups.exact("kept, re-rotating", of, "kept", trace.kept, of.kept("kept", {count + 1}, tokens));
  groups.close("out", of, "out", at::stack(trace.out),
               of.input("out", {count + 1, heads, head_dim}));
  const at::Tensor last = at::tensor(trace.kept.back(), at::kLong).to(k.device());
  groups.close("final_rotated_keys", of, "final_rotated_keys",
               at_packed_positions(k.index_select(1, last), table, last),
               of.input("final_rotated_keys", {heads, last.size(0), head_dim}));
}

/// One eviction from a whole prompt.
void check_eviction(const PolicyCase& of, PolicyGroups& groups) {
  const std::string form = of.word("form", {"KVCache-Factory", "R-KV", "kvpress"});
  const int64_t tokens = of.integer("N");
  const int64_t budget = form == "R-KV" ? of.integer("budget")
                         : form == "kvpress"
                             ? kvpress_tokens(tokens, of.number("compression_ratio", 0, 1))
                             : of.integer("C");
  const int64_t sinks = form == "R-KV"      ? of.integer("first_tokens", 0)
                        : form == "kvpress" ? of.integer("n_sink", 0)
                                            : budget - of.integer("w", 0, budget);
  const KeptLists recorded = of.kept("kept", {}, tokens);
  if (form == "kvpress") {
    groups.exact("n_kept", of, "n_kept", at::tensor(budget), at::tensor(of.integer("n_kept", 0)));
  }
  KeptLists kept = budget < 1 ? KeptLists{{}}
                   : budget < tokens && budget <= sinks
                       ? everything(1, budget)  // first tokens alone
                       : kept_of_chunks({.sinks = sinks, .budget = budget}, {tokens});
  groups.exact("kept of one eviction", of, "kept", kept, recorded);
  if (!of.has_tensor("k_rotated")) return;
  const int64_t heads = of.integer("H", 1, 4096);
  const int64_t head_dim = of.integer("D", 2, 1024);
  if (head_dim % 2 != 0) of.fail("an odd number of channels cannot rotate");
  const RotationTable table = of.line_rotation(tokens, head_dim);
  const at::Tensor rotated = of.input("k_rotated", {heads, tokens, head_dim});
  const at::Tensor last = at::tensor(kept.front(), at::kLong).to(rotated.device());
  const at::Tensor keys = rotated.index_select(1, last);
  groups.close("rerotated_keys", of, "rerotated_keys", at_packed_positions(keys, table, last),
               of.input("rerotated_keys", {heads, last.size(0), head_dim}));
}

}  // namespace

std::vector<GroupResult> verify_policy_streamingllm(GoldenFile& file) {
  PolicyGroups groups;
  for (const PolicyCase& of : policy_cases(file)) {
    if (of.has("chunks")) {
      check_trace(of, groups);
    } else if (of.has("prompt")) {
      check_rotation(of, groups);
    } else {
      check_eviction(of, groups);
    }
  }
  return groups.results();
}

}  // namespace kvscope::verify
