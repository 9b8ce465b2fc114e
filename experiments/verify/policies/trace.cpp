#include "experiments/verify/policies/trace.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>

#include "core/config/yaml.h"
#include "kernels/attention_rows/attention_rows.h"
#include "policies/registry.h"

namespace kvscope::verify {

std::unique_ptr<Policy> policy_of(const std::string& yaml) {
  auto policy = make_policy(load_yaml_text(yaml, "the recorded case's policy"));
  policy->keep_order();  // as the recorded lists are
  return policy;
}

void replay_trace(const TraceInputs& inputs,
                  Policy& policy,
                  int64_t capacity,
                  const WatchedPolicy::Look& look,
                  const std::function<void(const at::Tensor& out, const KvCache& cache)>& after) {
  // One more token, which is never stored, so that every recorded step is.
  const CacheGeometry geometry{.layers = 1,
                               .heads = inputs.k.size(1),
                               .head_dim = inputs.k.size(3),
                               .steps = next_token_steps(inputs.prompt, inputs.steps + 1)};
  const int64_t tokens = std::min(capacity, full_cache_tokens(geometry.steps));
  const Budget budget{.unit = BudgetUnit::kTokens,
                      .amount = static_cast<double>(tokens),
                      .moment = BudgetMoment::kEviction};
  KvCache cache(policy.plan(geometry, budget), inputs.k.size(0), inputs.k.device());
  WatchedPolicy watched(policy, look);
  AttentionContext context{.cache = cache, .controller = &watched};
  watched.begin_generation(cache.rows());
  for (const StepInfo& step : geometry.steps) {
    if (!step.stored) break;
    const auto of_step = [&](const at::Tensor& x) {
      return x.narrow(2, step.first_token, step.queries()).contiguous();
    };
    after(attend(context, {.step = step,
                           .layer = 0,
                           .q = of_step(inputs.q),
                           .k = of_step(inputs.k),
                           .v = of_step(inputs.v),
                           .softmax_scale = inputs.softmax_scale}),
          cache);
  }
}

KeptLists positions_held(const KvCache& cache) {
  KeptLists lists;
  for (int64_t row = 0; row < cache.rows(); ++row) {
    for (int64_t head = 0; head < cache.plan().geometry().heads; ++head) {
      lists.push_back(cache.positions(0, row, head));
    }
  }
  return lists;
}

at::Tensor last_attention(const LayerStep& layer_step) {
  const std::array last{layer_step.step.queries() - 1};
  const at::Tensor rows = attention_rows(
      layer_step.q, layer_step.lse, layer_step.cache->history(layer_step.layer), layer_step.k,
      layer_step.softmax_scale, last, layer_step.step.kind == StepKind::kPrefill);
  return rows.view({layer_step.k.size(0), layer_step.k.size(1), -1});
}

at::Tensor zero_padded(const at::Tensor& values, int64_t width) {
  return at::constant_pad_nd(values, {0, std::max<int64_t>(0, width - values.size(-1))});
}

}  // namespace kvscope::verify
