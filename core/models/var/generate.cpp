#include "core/models/var/generate.h"

#include <ATen/ATen.h>

#include "core/device/inference_guard.h"
#include "core/models/next_scale/sample.h"
#include "core/models/shared/guidance.h"
#include "core/models/shared/step_loop.h"
#include "core/models/var/block.h"

namespace kvscope::var {

std::vector<double> guidance_of_scales(const std::vector<double>& cfg, size_t scales) {
  std::vector<double> strengths = per_step(cfg, scales, "gen.cfg");
  if (cfg.size() != 1) return strengths;
  for (size_t si = 0; si < scales; ++si) {
    const double share =
        scales == 1 ? 0.0 : static_cast<double>(si) / static_cast<double>(scales - 1);
    strengths[si] *= share;
  }
  return strengths;
}

Generation generate(const TransformerConfig& config,
                    const TransformerWeights& weights,
                    const VqvaeConfig& vae,
                    const TensorMap& quantizer,
                    const ScaleSchedule& schedule,
                    std::span<const int64_t> labels,
                    const GenerateOptions& options,
                    std::span<at::Generator> generators,
                    AttentionContext& context,
                    const std::function<void(const StepResult&)>& on_step) {
  const InferenceGuard inference;
  const auto scales = static_cast<int64_t>(schedule.size());
  const std::vector<double> strength = guidance_of_scales(options.cfg, schedule.size());
  const std::vector<double> tau = per_step(options.tau, schedule.size(), "gen.tau");
  const auto images = static_cast<int64_t>(labels.size());
  const bool doubled = guided(options.cfg, kUnguided);
  std::vector<int64_t> rows(labels.begin(), labels.end());
  if (doubled) rows.insert(rows.end(), labels.size(), config.classes);
  const Conditioning conditioning = condition(config, weights, rows);

  Generation result;
  result.features =
      at::zeros({images, config.code_width, schedule.back().first, schedule.back().second},
                conditioning.embedding.options());
  at::Tensor input;
  at::Tensor logits;
  at::Tensor ids;
  const auto scale = [&](const StepInfo& step, const SelfAttention& attend_step) {
    at::Tensor x = embed_scale(weights, conditioning, step, input);
    for (int64_t layer = 0; layer < config.depth; ++layer) {
      x = block(config, weights, layer, x, conditioning, attend_step);
    }
    const auto si = static_cast<size_t>(step.index);
    logits = mixed(head(weights, x, conditioning), images, strength[si], GuidanceForm::kExcess);
    if (tau[si] != 1.0) logits = logits * (1.0 / tau[si]);
    check_finite(logits, step);
    ids = options.forced_ids.empty() ? sample(logits, options.top_k, options.top_p, generators)
                                     : options.forced_ids.at(si).to(x.device());
    result.features = accumulate(vae, quantizer, result.features, ids, schedule, step.index);
    if (step.index + 1 < scales) {
      input = next_input(result.features, schedule, step.index + 1);
      if (doubled) input = input.repeat({2, 1, 1});
    }
    result.ids.push_back(ids);
  };
  const auto after = [&](const StepInfo& step, const StepTimes& times) {
    on_step({step, logits, ids, times});
  };
  StepLoop loop{.generators = generators, .step = scale};  // positions are embedded, nothing turns
  if (on_step) loop.after = after;
  result.times = run_steps(context, loop);
  return result;
}

}  // namespace kvscope::var
