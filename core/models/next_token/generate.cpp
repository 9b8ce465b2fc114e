#include "core/models/next_token/generate.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "core/base/error.h"
#include "core/device/inference_guard.h"
#include "core/models/next_token/positions.h"
#include "core/models/next_token/sample.h"
#include "core/models/shared/guidance.h"
#include "core/models/shared/step_loop.h"
#include "kernels/token_rows/token_rows.h"

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

}  // namespace

double guidance_of_token(double scale, int64_t token, int64_t interval) {
  return interval > -1 && token - 1 > interval ? 1.0 : scale;
}

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

  const Positions positions(model, condition);
  Generation result;
  result.tokens = at::empty({images, static_cast<int64_t>(steps.size()) - 1},
                            condition.embeddings.options().dtype(at::kLong));
  at::Tensor x = condition.embeddings;
  at::Tensor hidden, row_logits, logits, ids;
  const auto sample_token = [&](const StepInfo& step, const SelfAttention& attend_step) {
    x = decode(model.config, model.weights, x, positions.rotation(step.first_token, step.queries()),
               attend_step);
    hidden =
        rms_norm_rows(x.select(1, x.size(1) - 1), model.weights.norm, model.config.norm_epsilon);
    row_logits = model.head(hidden);
    const auto at = static_cast<size_t>(step.index);
    logits = mixed(row_logits, images, guidance_of_token(cfg[at], step.index, options.cfg_interval),
                   GuidanceForm::kDifference);
    check_finite(logits, step.index);
    ids = options.forced_tokens.defined()
              ? options.forced_tokens.select(1, step.index).to(x.device(), at::kLong)
              : sample_tokens(logits,
                              {.temperature = tau[at],
                               .top_k = options.top_k,
                               .top_p = options.top_p,
                               .greedy = options.greedy},
                              generators);
    result.tokens.select(1, step.index).copy_(ids);
    x = model.embed(ids).repeat({rows / images, 1}).unsqueeze(1);
  };
  StepLoop loop{.generators = generators,
                .rotation = model.rotation,
                .padding = condition.padding,
                .softmax_scale = 1.0 / std::sqrt(static_cast<double>(model.config.head_dim())),
                .step = sample_token};
  if (on_step) {
    loop.after = [&](const StepInfo& step, const StepTimes&) {
      on_step({step, hidden, row_logits, logits, ids});
    };
  }
  result.times = run_steps(context, loop);
  return result;
}

}  // namespace kvscope::next_token
