#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/models/shared/rotation_tables.h"
#include "experiments/verify/policies/tensors.h"
#include "experiments/verify/policies/trace.h"
#include "policies/signals/attention_sums.h"

namespace kvscope::verify {
namespace {

constexpr double kTheta = 10000.0;  // of the recorded rotations

std::string h2o(int64_t recent) {
  return fmt::format(
      "{{name: h2o, score: {{name: accumulated_attention, recent_tokens: {}}}, protect: window}}",
      recent);
}

/// What one real-drop trace leaves behind, step by step.
struct RealDrop {
  explicit RealDrop(const PolicyCase& of)
      : heads(of.integer("H")),
        head_dim(of.integer("D")),
        prompt(of.integer("prompt")),
        steps(of.integer("steps", 0)),
        recent(of.integer("recent", 0)),
        capacity(of.integer("hh", 0) + recent) {
    if (of.integer("B") != 1 || capacity < 1) {
      of.fail("real drop is recorded for one row and at least one token");
    }
    // What is recorded is read first: its size, which is the file's, bounds what a trace may make.
    const int64_t states = steps + 1;
    recorded_kept = of.kept("kept", {states, heads}, prompt + steps);
    if (of.shape("kept").back() < std::min(capacity, prompt + steps)) {
      of.fail("tensor 'kept' is narrower than the cache");
    }
    recorded_score = of.input("score", {states, heads, capacity});
    if (steps > 0) recorded_rows = of.input("rows", {steps, heads, capacity + 1});
    recorded_out = of.input("out", {states, heads, head_dim});
    const std::vector<int64_t> shape{heads, prompt + steps, head_dim};
    inputs = {.q = of.input("q", shape).unsqueeze(0),
              .k = of.input("k", shape).unsqueeze(0),
              .v = of.input("v", shape).unsqueeze(0),
              .prompt = prompt,
              .steps = steps,
              .softmax_scale = 1 / std::sqrt(static_cast<double>(head_dim))};
  }

  /// Writes down a decision: `stays` null where everything stays.
  void look(const LayerStep& layer_step, const KeptIndices* stays) {
    if (!scores.empty()) {
      rows.push_back(zero_padded(last_attention(layer_step)[0], capacity + 1));
    }
    sums.observe(layer_step);
    sums.settle(layer_step, stays);
    scores.push_back(zero_padded(sums.held(layer_step.layer).view({heads, -1}), capacity));
  }
  void after(const at::Tensor& output, const KeptLists& positions) {
    out.push_back(output[0].select(1, output.size(2) - 1).contiguous());
    kept.insert(kept.end(), positions.begin(), positions.end());
  }

  void compare(const PolicyCase& of, PolicyGroups& groups) const {
    groups.exact("kept", of, "kept", kept, recorded_kept);
    groups.close("score", of, "score", at::stack(scores), recorded_score);
    if (steps > 0) groups.close("rows", of, "rows", at::stack(rows), recorded_rows);
    groups.close("out", of, "out", at::stack(out), recorded_out);
  }

  int64_t heads, head_dim, prompt, steps, recent, capacity;
  TraceInputs inputs = {};
  KeptLists recorded_kept = {};
  at::Tensor recorded_score, recorded_rows, recorded_out;
  AttentionSums sums = {};
  std::vector<at::Tensor> rows = {};    // [steps] of [heads, capacity + 1]
  std::vector<at::Tensor> scores = {};  // [steps + 1] of [heads, capacity]
  std::vector<at::Tensor> out = {};     // [steps + 1] of [heads, head_dim]
  KeptLists kept = {};                  // [(steps + 1) * heads]
};

void check_real_drop(const PolicyCase& of, PolicyGroups& groups) {
  RealDrop trace(of);
  const auto policy = policy_of(h2o(trace.recent));
  replay_trace(
      trace.inputs, *policy, trace.capacity,
      [&](const LayerStep& step, const KeptIndices* kept) { trace.look(step, kept); },
      [&](const at::Tensor& out, const KvCache& cache) {
        trace.after(out, positions_held(cache));
      });
  trace.compare(of, groups);
}

/// One step of a trace whose held keys have moved: a cache that holds them as they stand now, the
/// newest token behind them, the same policy and sums.
class RollingStep {
 public:
  RollingStep(const RealDrop& trace, const KeptLists& held)
      : trace_(trace), length_(std::ssize(held.front())) {
    for (const auto& line : held) {
      index_.push_back(at::tensor(line, at::kLong).to(trace.inputs.k.device()));
    }
  }

  /// [1, heads, length + 1, head_dim]: of the held tokens, then of the new one at `newest`.
  [[nodiscard]] at::Tensor gathered(const at::Tensor& x, int64_t newest) const {
    std::vector<at::Tensor> heads;
    for (int64_t head = 0; head < trace_.heads; ++head) {
      const at::Tensor of_head = x[0][head];
      heads.push_back(at::cat({of_head.index_select(0, index_[static_cast<std::size_t>(head)]),
                               of_head.narrow(0, newest, 1)}));
    }
    return at::stack(heads).unsqueeze(0);
  }

  void run(const at::Tensor& q,
           const at::Tensor& k,
           const at::Tensor& v,
           WatchedPolicy& watched,
           const std::function<void(const at::Tensor& out, const KvCache& cache)>& after) const {
    const CacheGeometry geometry{.layers = 1,
                                 .heads = trace_.heads,
                                 .head_dim = trace_.head_dim,
                                 .steps = next_token_steps(length_, 2)};
    const auto plan_of = [&](int64_t tokens) {
      return std::vector(1, std::vector<int64_t>(static_cast<std::size_t>(trace_.heads), tokens));
    };
    const int64_t left = std::min(trace_.capacity, length_ + 1);
    KvCache cache(Plan(geometry, {plan_of(length_), plan_of(left), plan_of(left)}), 1, k.device());
    AttentionContext context{.cache = cache, .controller = &watched};
    const auto held = [&](const at::Tensor& x) { return x.narrow(2, 0, length_).contiguous(); };
    const auto newest = [&](const at::Tensor& x) { return x.narrow(2, length_, 1).contiguous(); };
    cache.append(0, geometry.steps[0], held(k), held(v));
    after(attend(context, {.step = geometry.steps[1],
                           .layer = 0,
                           .q = newest(q),
                           .k = newest(k),
                           .v = newest(v),
                           .softmax_scale = trace_.inputs.softmax_scale}),
          cache);
  }

 private:
  const RealDrop& trace_;
  int64_t length_;
  std::vector<at::Tensor> index_;  // [heads] of [length]
};

/// Keys stand at 0, 1, 2, ... of the cache at every step, the query at the last of them.
void check_rolling(const PolicyCase& of, PolicyGroups& groups) {
  RealDrop trace(of);
  if (trace.head_dim % 2 != 0) of.fail("head size D is odd, so it cannot be rotated");
  const int64_t most = trace.prompt + trace.steps + 1;
  const auto table =
      on_device(line_rotation(most, trace.head_dim, kTheta), trace.inputs.q.device());
  const auto turned = [&](const at::Tensor& x) {
    return rotate(x, at_positions(table, at::arange(x.size(2), at::kLong).unsqueeze(0)));
  };
  const auto policy = policy_of(h2o(trace.recent));
  const auto look = [&](const LayerStep& step, const KeptIndices* kept) { trace.look(step, kept); };
  TraceInputs prompt = trace.inputs;
  prompt.q = turned(prompt.q.narrow(2, 0, trace.prompt));
  prompt.k = turned(prompt.k.narrow(2, 0, trace.prompt));
  prompt.steps = 0;
  KeptLists held;
  replay_trace(prompt, *policy, trace.capacity, look,
               [&](const at::Tensor& out, const KvCache& cache) {
                 held = positions_held(cache);
                 trace.after(out, held);
               });
  WatchedPolicy watched(*policy, look);
  for (int64_t newest = trace.prompt; newest < trace.prompt + trace.steps; ++newest) {
    const RollingStep step(trace, held);
    step.run(turned(step.gathered(trace.inputs.q, newest)),
             turned(step.gathered(trace.inputs.k, newest)), step.gathered(trace.inputs.v, newest),
             watched, [&](const at::Tensor& out, const KvCache& cache) {
               const KeptLists indices = positions_held(cache);  // in the cache of this step
               for (std::size_t head = 0; head < held.size(); ++head) {
                 std::vector<int64_t> before = held[head];
                 before.push_back(newest);
                 held[head].clear();
                 for (const int64_t index : indices[head]) {
                   held[head].push_back(before[static_cast<std::size_t>(index)]);
                 }
               }
               trace.after(out, held);
             });
  }
  trace.compare(of, groups);
}

/// Sums, or means, over a prompt that is seen once.
void check_prompt(const PolicyCase& of, PolicyGroups& groups, bool kvpress) {
  const int64_t rows = of.integer("B");
  const int64_t heads = of.integer("H");
  const int64_t tokens = of.integer("N");
  const int64_t head_dim = of.integer("D");
  const std::vector<int64_t> shape{rows, heads, tokens, head_dim};
  const TraceInputs inputs{.q = of.input("q", shape),
                           .k = of.input("k", shape),
                           .v = of.input("k", shape),  // values decide nothing
                           .prompt = tokens,
                           .softmax_scale = 1 / std::sqrt(static_cast<double>(head_dim))};
  const int64_t window = kvpress ? 0 : of.integer("w", 1, tokens);
  const int64_t count = kvpress ? kvpress_tokens(tokens, of.number("compression_ratio", 0, 1))
                                : std::min(of.integer("C", window), tokens);
  if (kvpress) {
    groups.exact("n_kept", of, "n_kept", at::tensor(count), at::tensor(of.integer("n_kept", 0)));
  }
  at::Tensor scores;
  const auto policy = policy_of(h2o(window));
  replay_trace(
      inputs, *policy, std::max<int64_t>(count, 1),
      [&](const LayerStep& step, const KeptIndices* /*kept*/) {
        AttentionSums sums;
        sums.observe(step);
        scores = kvpress ? sums.sums(step) / queries_that_saw(step) : sums.sums(step);
      },
      [](const at::Tensor& /*out*/, const KvCache& /*cache*/) {});
  const int64_t scored = tokens - window;
  if (of.has_tensor("scores") || count < tokens) {
    groups.close("scores", of, "scores", scores.narrow(2, 0, scored),
                 of.input("scores", {rows, heads, scored}));
  }
  groups.exact("kept", of, "kept",
               best_tokens(of, scores, last_tokens(tokens, window, scores.device()), {{count}}),
               of.kept("kept", {rows, heads}, tokens));
}

}  // namespace

std::vector<GroupResult> verify_policy_h2o(GoldenFile& file) {
  PolicyGroups groups;
  for (const PolicyCase& of : policy_cases(file)) {
    const std::string form =
        of.word("form", {"H2O real drop", "H2O real drop with rolling positions", "KVCache-Factory",
                         "kvpress ObservedAttention"});
    if (form == "H2O real drop") {
      check_real_drop(of, groups);
    } else if (form == "H2O real drop with rolling positions") {
      check_rolling(of, groups);
    } else {
      check_prompt(of, groups, form != "KVCache-Factory");
    }
  }
  return groups.results();
}

}  // namespace kvscope::verify
