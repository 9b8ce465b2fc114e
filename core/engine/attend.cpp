#include "core/engine/attend.h"

#include <c10/core/impl/VirtualGuardImpl.h>

#include <chrono>

#include "kernels/attention/attention.h"

namespace kvscope {
namespace {

/// Adds the time of a scope to `total_ms`. An accelerator is waited for at both ends: its calls
/// only enqueue work, and a clock without the wait would charge it to whoever synchronises next.
class ScopedClock {
 public:
  ScopedClock(double& total_ms, at::Device device) : total_ms_(total_ms), device_(device) {
    wait();
    start_ = std::chrono::steady_clock::now();
  }
  ~ScopedClock() {
    wait();
    const auto elapsed = std::chrono::steady_clock::now() - start_;
    total_ms_ += std::chrono::duration<double, std::milli>(elapsed).count();
  }
  ScopedClock(const ScopedClock&) = delete;
  ScopedClock& operator=(const ScopedClock&) = delete;

 private:
  void wait() const noexcept {
    if (device_.is_cpu()) return;
    try {
      c10::impl::VirtualGuardImpl(device_.type()).synchronizeDevice(device_.index());
    } catch (const std::exception&) {
      // A failed kernel is sticky: the next call on the device reports it where it can be thrown.
    }
  }

  double& total_ms_;
  at::Device device_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace

at::Tensor attend(AttentionContext& context,
                  const StepInfo& step,
                  int64_t layer,
                  const at::Tensor& q,
                  const at::Tensor& k,
                  const at::Tensor& v,
                  double softmax_scale,
                  const at::Tensor& hidden,
                  const at::Tensor& query_weight) {
  AttentionResult result;
  {
    const ScopedClock clock(context.attention_ms, q.device());
    const bool causal = step.kind == StepKind::kPrefill;
    result = ragged_attention(q, context.cache.history(layer), k, v, softmax_scale, causal);
  }

  const LayerStep layer_step{.step = step,
                             .layer = layer,
                             .cache = context.cache,
                             .q = q,
                             .k = k,
                             .v = v,
                             .lse = result.lse,
                             .softmax_scale = softmax_scale,
                             .hidden = hidden,
                             .query_weight = query_weight};
  for (AttentionObserver* observer : context.observers) observer->observe(layer_step);
  if (!step.stored) return result.out;

  const ScopedClock clock(context.policy_ms, q.device());
  std::optional<KeptIndices> kept;
  if (context.controller != nullptr) kept = context.controller->decide(layer_step);
  if (kept) {
    context.cache.keep(layer, step, k, v, *kept);
  } else {
    context.cache.append(layer, step, k, v);
  }
  return result.out;
}

}  // namespace kvscope
