#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>

#include "core/engine/attend.h"
#include "experiments/verify/policies/policy.h"
#include "policies/policy.h"

// Recorded traces: a prompt at once, then single tokens, run again through cache, kernels and a
// whole policy as in a generation.
namespace kvscope::verify {

/// What a trace is fed with: [rows, heads, prompt + steps, head_dim] fp32 each, rotated already.
struct TraceInputs {
  at::Tensor q;
  at::Tensor k;
  at::Tensor v;
  int64_t prompt = 0;
  int64_t steps = 0;
  double softmax_scale = 1;
};

/// A policy with an eye on it: `look` sees every step after the policy has decided on it.
class WatchedPolicy : public CacheController {
 public:
  using Look = std::function<void(const LayerStep&, const KeptIndices*)>;
  WatchedPolicy(Policy& policy, Look look) : policy_(policy), look_(std::move(look)) {}

  void begin_generation(int64_t rows) override { policy_.begin_generation(rows); }
  std::optional<KeptIndices> decide(const LayerStep& layer_step) override {
    std::optional<KeptIndices> kept = policy_.decide(layer_step);
    look_(layer_step, kept ? &*kept : nullptr);
    return kept;
  }

 private:
  Policy& policy_;
  Look look_;
};

/// The policy of a `policy` group written as YAML.
std::unique_ptr<Policy> policy_of(const std::string& yaml);

/// Runs a trace in one layer with `capacity` tokens per head. `after` sees every step's attention
/// output [rows, heads, queries, head_dim] and the cache that it leaves.
void replay_trace(const TraceInputs& inputs,
                  Policy& policy,
                  int64_t capacity,
                  const WatchedPolicy::Look& look,
                  const std::function<void(const at::Tensor& out, const KvCache& cache)>& after);

/// Positions of the tokens that every (row, head) of layer 0 holds.
KeptLists positions_held(const KvCache& cache);

/// The last query's attention over [history | current step], [rows, heads, tokens]; all heads must
/// hold the same number of tokens.
at::Tensor last_attention(const LayerStep& layer_step);

/// `values` [..., n] with zeros behind, [..., width].
at::Tensor zero_padded(const at::Tensor& values, int64_t width);

}  // namespace kvscope::verify
