#include "core/models/next_token/generate.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/device/inference_guard.h"
#include "core/device/work_profile.h"
#include "core/models/next_token/guidance.h"
#include "core/models/next_token/positions.h"
#include "core/models/next_token/sample.h"

namespace kvscope::next_token {
namespace {

void check_finite(const at::Tensor& logits, int64_t token) {
  if (at::isfinite(logits).all().item<bool>()) return;
  throw Error(ErrorKind::kNumerics,
              fmt::format("logits of image token {} are NaN or infinite; expected finite numbers. "
                          "Are the weights damaged, or is the precision too low for them?",
                          token));
}

void check_rows(const AttentionContext& context, const Condition& condition, int64_t images) {
  const std::vector<StepInfo>& steps = context.cache.plan().geometry().steps;
  const int64_t rows = condition.embeddings.size(0);
  const bool fits = !steps.empty() && steps[0].kind == StepKind::kPrefill &&
                    steps[0].queries() == condition.embeddings.size(1) &&
                    context.cache.rows() == rows && images > 0;
  if (fits) return;
  throw Error(ErrorKind::kAudit,
              fmt::format("generate: {} rows of {} condition tokens for a cache of {} rows and a "
                          "prefill of {} tokens",
                          rows, condition.embeddings.size(1), context.cache.rows(),
                          steps.empty() ? 0 : steps[0].queries()));
}

void begin(AttentionContext& context,
           const NextTokenModel& model,
           const Condition& condition,
           std::span<const at::Generator> generators) {
  begin_generation(context, generators);
  context.rotation = model.rotation;
  context.rotation->skips_padding = model.positions_skip_padding;
  if (!condition.padding.empty()) context.cache.set_padding(condition.padding);
}

}  // namespace

Generation generate(const NextTokenModel& model,
                    const Condition& condition,
                    const GenerateOptions& options,
                    std::span<at::Generator> generators,
                    AttentionContext& context,
                    const std::function<void(const StepResult&)>& on_step) {
  const InferenceGuard inference;
  const std::vector<StepInfo>& steps = context.cache.plan().geometry().steps;
  const std::vector<double> cfg = per_step(options.cfg, steps.size(), "gen.cfg");
  const std::vector<double> tau = per_step(options.tau, steps.size(), "gen.tau");
  const int64_t rows = condition.embeddings.size(0);
  const int64_t images = guided(options.cfg) ? rows / 2 : rows;
  check_rows(context, condition, images);
  begin(context, model, condition, generators);

  const double softmax_scale = 1.0 / std::sqrt(static_cast<double>(model.config.head_dim()));
  const Positions positions(model, condition);
  Generation result;
  result.tokens = at::empty({images, static_cast<int64_t>(steps.size()) - 1},
                            condition.embeddings.options().dtype(at::kLong));
  at::Tensor x = condition.embeddings;
  for (const StepInfo& step : steps) {
    if (step.index == static_cast<int64_t>(steps.size()) - 1) {  // drawn already, read by nobody
      result.step_ms.push_back(0);
      break;
    }
    const auto start = std::chrono::steady_clock::now();
    std::optional<WorkMark> mark(WorkMark::kStep);
    const SelfAttention attend_step = [&](int64_t layer, const at::Tensor& q, const at::Tensor& k,
                                          const at::Tensor& v, const at::Tensor& hidden,
                                          const at::Tensor& query_weight) {
      return attend(context, step, layer, q, k, v, softmax_scale, hidden, query_weight);
    };
    x = decode(model.config, model.weights, x, positions.rotation(step.first_token, step.queries()),
               attend_step);
    const at::Tensor hidden =
        rms_norm(x.select(1, x.size(1) - 1), model.weights.norm, model.config.norm_epsilon);
    const at::Tensor row_logits = model.head(hidden);
    const auto at = static_cast<size_t>(step.index);
    const at::Tensor logits =
        mixed(row_logits, images, guidance_of_token(cfg[at], step.index, options.cfg_interval));
    check_finite(logits, step.index);
    const at::Tensor ids =
        options.forced_tokens.defined()
            ? options.forced_tokens.select(1, step.index).to(x.device(), at::kLong)
            : sample_tokens(logits,
                            {.temperature = tau[at],
                             .top_k = options.top_k,
                             .top_p = options.top_p,
                             .greedy = options.greedy},
                            generators);
    result.tokens.select(1, step.index).copy_(ids);
    x = model.embed(ids).repeat({rows / images, 1}).unsqueeze(1);
    mark.reset();
    result.step_ms.push_back(milliseconds_since(start));
    if (on_step) on_step({step, hidden, row_logits, logits, ids, result.step_ms.back()});
  }
  result.attention_ms = context.attention_clock.total_ms();
  result.policy_ms = context.policy_clock.total_ms();
  return result;
}

}  // namespace kvscope::next_token
