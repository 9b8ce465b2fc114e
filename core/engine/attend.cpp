#include "core/engine/attend.h"

#include <ATen/Functions.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/split_mix.h"
#include "core/device/work_profile.h"
#include "core/engine/attended_history.h"
#include "core/engine/in_cache_positions.h"
#include "kernels/attention/attention.h"

namespace kvscope {
namespace {

/// A prefill of rows that are padded on the left: each row attends among its own tokens.
AttentionResult padded_prefill(const KvCache& cache, const AttentionInputs& inputs) {
  const at::Tensor& q = inputs.q;
  const auto heads = static_cast<size_t>(inputs.k.size(1));
  AttentionResult result{
      .out = at::empty({q.size(0), q.size(2), q.size(1), q.size(3)}, q.options()).transpose(1, 2),
      .lse = at::full({q.size(0), q.size(1), q.size(2)}, std::numeric_limits<float>::infinity(),
                      q.options().dtype(at::kFloat))};
  const RaggedRows history = cache.visible_history(inputs.layer);
  for (int64_t row = 0; row < q.size(0); ++row) {
    const int64_t padding = cache.padding_of_step(inputs.step, row);
    const auto real = [&](const at::Tensor& x) {
      return x.narrow(0, row, 1).narrow(2, padding, x.size(2) - padding);
    };
    const size_t first_slot = static_cast<size_t>(row) * heads;
    const AttentionResult own =
        ragged_attention(real(q),
                         {.keys = history.keys,
                          .values = history.values,
                          .begin = history.begin.subspan(first_slot, heads),
                          .length = history.length.subspan(first_slot, heads)},
                         real(inputs.k), real(inputs.v), inputs.softmax_scale, true);
    real(result.out).copy_(own.out);
    real(result.lse).copy_(own.lse);
    const at::Tensor own_values =
        inputs.v[row].narrow(1, 0, padding).unsqueeze(1);  // of each query head
    result.out[row].unflatten(0, {inputs.k.size(1), -1}).narrow(2, 0, padding).copy_(own_values);
  }
  return result;
}

/// Throws unless keys can be turned to their positions in the cache.
void check_turning(const AttentionContext& context, const Reading& reading) {
  if (!context.rotation || !context.rotation->is_line) {
    throw Error(ErrorKind::kConfig,
                "policy.read: keys can be turned to their positions in the cache only where a "
                "model's positions are a line (1-D RoPE, as Janus has), and this model's are not; "
                "expected policy.read=all");
  }
  if (!context.observers.empty()) {
    throw Error(ErrorKind::kConfig,
                "policy.read: attention cannot be recorded while keys are turned to their "
                "positions in the cache; expected policy.read=all");
  }
  if (reading.tokens != nullptr) {
    throw Error(ErrorKind::kAudit,
                "attention: a part of the history at other positions; expected either all of it, "
                "or the original positions");
  }
}

int64_t bytes_of(const at::Tensor& x) {
  return static_cast<int64_t>(x.nbytes());
}

/// Counts what is there now: the cache with its scratch, and `transient_bytes` beside it.
void count_peak(AttentionContext& context, int64_t transient_bytes) {
  const KvCache& cache = context.cache;
  context.kv_peak_bytes = std::max(context.kv_peak_bytes,
                                   cache.live_bytes() + cache.plan().scratch_bytes(cache.rows()) +
                                       context.waiting.bytes() + transient_bytes);
}

/// Stores a layer, of which the controller says what stays.
void store_layer(AttentionContext& context, const LayerStep& layer_step) {
  std::optional<KeptIndices> kept;
  if (context.controller != nullptr) kept = context.controller->decide(layer_step);
  if (kept) {
    context.cache.keep(layer_step.layer, layer_step.step, layer_step.k, layer_step.v, *kept);
  } else {
    context.cache.append(layer_step.layer, layer_step.step, layer_step.k, layer_step.v);
  }
}

/// Likewise all layers of a step that wait.
void store_waiting(AttentionContext& context, const StepInfo& step) {
  const std::span<const LayerStep> layers = context.waiting.layers();
  std::vector<std::optional<KeptIndices>> kept(layers.size());
  if (context.controller != nullptr) kept = context.controller->decide_step(layers);
  context.cache.keep_step(step, context.waiting.k(), context.waiting.v(), kept);
}

AttentionResult attention_of(AttentionContext& context,
                             const AttentionInputs& inputs,
                             const Reading& reading) {
  const KvCache& cache = context.cache;
  const at::Tensor& v = inputs.v;
  const double softmax_scale = inputs.softmax_scale;
  const bool causal = inputs.step.kind == StepKind::kPrefill;
  const bool has_history = inputs.step.index > 0;
  const int64_t own_bytes = bytes_of(inputs.k) + bytes_of(v);
  const bool turns = reading.positions == KeyPositions::kInCache;
  if (turns) check_turning(context, reading);
  if (turns && has_history) {
    const InCacheKeys turned = at_in_cache_positions(cache, *context.rotation, inputs);
    count_peak(context, own_bytes + bytes_of(turned.k) + bytes_of(turned.keys));
    return ragged_attention(turned.q, turned.history(), turned.k, v, softmax_scale, causal);
  }
  if (reading.tokens != nullptr && has_history) {
    const AttendedHistory seen = attended_history(cache, inputs.layer, reading);
    count_peak(context, own_bytes + bytes_of(seen.keys) + bytes_of(seen.values));
    return ragged_attention(inputs.q, seen.history(), inputs.k, v, softmax_scale, causal);
  }
  if (causal && cache.has_padding()) return padded_prefill(cache, inputs);
  return ragged_attention(inputs.q, cache.visible_history(inputs.layer), inputs.k, v, softmax_scale,
                          causal);
}

void check(const AttentionContext& context, const AttentionInputs& inputs) {
  const int64_t query_heads = context.cache.plan().geometry().query_heads;
  if (inputs.q.size(1) != query_heads) {
    throw Error(ErrorKind::kAudit,
                fmt::format("step {}, layer {}: queries of {} heads; the cache is planned for {}",
                            inputs.step.index, inputs.layer, inputs.q.size(1), query_heads));
  }
  const std::vector<uint64_t>& seeds = context.row_seeds;
  if (!seeds.empty() && std::cmp_not_equal(seeds.size(), context.cache.rows())) {
    throw Error(ErrorKind::kAudit,
                fmt::format("attention: {} seeds for {} rows; expected one per row", seeds.size(),
                            context.cache.rows()));
  }
}

}  // namespace

void begin_generation(AttentionContext& context, std::span<const at::Generator> generators) {
  context.cache.clear();
  context.row_seeds.assign(generators.empty() ? 0 : static_cast<size_t>(context.cache.rows()), 0);
  for (size_t row = 0; row < context.row_seeds.size(); ++row) {
    context.row_seeds[row] =
        generators[row % generators.size()].current_seed() +
        kSplitMixIncrement * (row / generators.size());  // seeds may be neighbours
  }
  if (context.controller != nullptr) context.controller->begin_generation(context.cache.rows());
  for (AttentionObserver* observer : context.observers) {
    observer->begin_generation(context.cache.rows());
  }
}

at::Tensor attend(AttentionContext& context, const AttentionInputs& inputs) {
  check(context, inputs);
  const StepInfo& step = inputs.step;
  const at::Device device = inputs.q.device();
  const int64_t own_bytes = bytes_of(inputs.k) + bytes_of(inputs.v);
  AttentionResult result;
  Reading reading;
  {
    const WorkClock::Scope clock = context.policy_clock.measure(device);
    const WorkMark mark(WorkMark::kDecision);
    if (context.controller != nullptr) {
      reading = context.controller->read(context.cache, step, inputs.layer);
    }
  }
  {
    const WorkClock::Scope clock = context.attention_clock.measure(device);
    result = attention_of(context, inputs, reading);
  }
  count_peak(context, own_bytes);

  LayerStep layer_step{inputs};
  layer_step.cache = &context.cache;
  layer_step.lse = result.lse;
  layer_step.rotation = context.rotation;
  layer_step.attended = std::move(reading.tokens);
  layer_step.row_seeds = context.row_seeds;
  layer_step.out = result.out;
  for (AttentionObserver* observer : context.observers) observer->observe(layer_step);
  layer_step.out.reset();
  if (!step.stored) return result.out;

  const WorkClock::Scope clock = context.policy_clock.measure(device);
  const WorkMark mark(WorkMark::kDecision);
  if (context.eviction_timing == EvictionTiming::kPerLayer) {
    store_layer(context, layer_step);
    count_peak(context, own_bytes);
    return result.out;
  }
  context.waiting.add(std::move(layer_step));
  count_peak(context, own_bytes);
  if (context.waiting.is_complete()) {
    store_waiting(context, step);
    count_peak(context, own_bytes);
    context.waiting.clear();
  }
  return result.out;
}

}  // namespace kvscope
