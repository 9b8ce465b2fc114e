#include "core/models/var/generate.h"

#include <ATen/ATen.h>

#include "core/device/inference_guard.h"
#include "core/models/next_scale/guidance.h"
#include "core/models/next_scale/sample.h"
#include "core/models/var/block.h"

namespace kvscope::var {
namespace {

// Guided logits of the B images from those of all rows.
at::Tensor mixed(const at::Tensor& logits, int64_t images, double strength, double tau) {
  const at::Tensor conditional = logits.narrow(0, 0, images);
  const at::Tensor guided_logits =
      logits.size(0) == images
          ? conditional
          : (1 + strength) * conditional - strength * logits.narrow(0, images, images);
  return tau == 1.0 ? guided_logits : guided_logits * (1.0 / tau);
}

}  // namespace

std::vector<double> guidance_of_scales(const std::vector<double>& cfg, size_t scales) {
  std::vector<double> strengths = per_scale(cfg, scales, "gen.cfg");
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
  const std::vector<double> tau = per_scale(options.tau, schedule.size(), "gen.tau");
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
    logits = mixed(head(weights, x, conditioning), images, strength[si], tau[si]);
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
  context.rotation.reset();  // positions are embedded, nothing turns
  const auto after = [&](const StepInfo& step, const StepTimes& times) {
    result.step_ms.push_back(times.step_ms);
    if (on_step) on_step({step, logits, ids, times});
  };
  run_scales(context, generators, scale, after);
  result.attention_ms = context.attention_clock.total_ms();
  result.policy_ms = context.policy_clock.total_ms();
  return result;
}

}  // namespace kvscope::var
