#include "core/models/infinity/generate.h"

#include <ATen/ATen.h>

#include "core/device/inference_guard.h"
#include "core/models/infinity/block.h"
#include "core/models/infinity/codes.h"
#include "core/models/infinity/sample.h"
#include "core/models/next_scale/sample.h"
#include "core/models/shared/guidance.h"
#include "core/models/shared/step_loop.h"

namespace kvscope::infinity {

Generation generate(const TransformerConfig& config,
                    const TransformerWeights& weights,
                    const ImageGeometry& image,
                    const TextFeatures& text,
                    const GenerateOptions& options,
                    std::span<at::Generator> generators,
                    AttentionContext& context,
                    const std::function<void(const StepResult&)>& on_step) {
  const InferenceGuard inference;
  const std::vector<StepInfo>& steps = context.cache.plan().geometry().steps;
  const std::vector<double> cfg = per_step(options.cfg, steps.size(), "gen.cfg");
  const std::vector<double> tau = per_step(options.tau, steps.size(), "gen.tau");
  const auto images = text.features.size(0);
  const bool doubled = guided(cfg);

  const Conditioning conditioning =
      condition(config, weights, doubled ? with_unconditional(weights, text) : text);
  const std::vector<CrossKeysValues> cross = cross_keys_values(config, weights, conditioning);

  Generation result;
  const auto [latent_height, latent_width] =
      image.latent(static_cast<int64_t>(steps.size()) - 1, config.patchify);
  at::Tensor summed = at::zeros({images, config.code_bits, latent_height, latent_width},
                                conditioning.pooled.options().dtype(at::kFloat));
  at::Tensor x = conditioning.pooled.unsqueeze(1) + weights.pos_start;
  const RotationTable table = rotation_table(config, image, x.device());
  at::Tensor logits;
  at::Tensor bits;
  const auto scale = [&](const StepInfo& step, const SelfAttention& attend_step) {
    const Rotation rotation{.cosine = table.cosine.narrow(0, step.first_token, step.queries()),
                            .sine = table.sine.narrow(0, step.first_token, step.queries()),
                            .pairs = table.pairs};
    x = x + weights.level_embedding.select(0, step.index);
    for (int64_t layer = 0; layer < config.depth; ++layer) {
      x = block(config, weights, layer, x, rotation, conditioning,
                cross[static_cast<size_t>(layer)], attend_step);
    }
    const auto si = static_cast<size_t>(step.index);
    logits = mixed(head(weights, x, conditioning.pooled) * (1.0 / tau[si]), images, cfg[si],
                   GuidanceForm::kWeights);
    check_finite(logits, step);
    bits = options.forced_bits.empty()
               ? sample_bits(logits, options.top_k, options.top_p, generators)
                     .view({images, step.grid_height, step.grid_width, config.token_bits()})
               : options.forced_bits.at(si).to(x.device());
    const at::Tensor codes = bits_to_codes(config.patchify ? unpatch_bits(bits) : bits);
    summed = accumulate(summed, codes, image, step.index, config.patchify);
    if (si + 1 < steps.size()) {
      const at::Tensor input = next_input(summed, image, step.index + 1, config.patchify);
      x = at::linear(input, weights.word_weight, weights.word_bias);
      if (doubled) x = x.repeat({2, 1, 1});
    }
    result.token_bits.push_back(bits);
  };
  const auto after = [&](const StepInfo& step, const StepTimes& times) {
    on_step({step, logits, bits, times});
  };
  StepLoop loop{.generators = generators, .rotation = table, .step = scale};
  if (on_step) loop.after = after;
  result.times = run_steps(context, loop);
  result.summed_codes = summed;
  return result;
}

}  // namespace kvscope::infinity
