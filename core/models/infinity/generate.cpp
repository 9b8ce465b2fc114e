#include "core/models/infinity/generate.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/models/infinity/block.h"
#include "core/models/infinity/codes.h"
#include "core/models/infinity/sample.h"

namespace kvscope::infinity {
namespace {

// The guided logits of the B images from those of all rows.
at::Tensor mixed(const at::Tensor& logits, int64_t images, double cfg, double tau) {
  const at::Tensor warm = logits * (1.0 / tau);
  if (cfg == 1.0) return warm.narrow(0, 0, images);
  return cfg * warm.narrow(0, 0, images) + (1 - cfg) * warm.narrow(0, images, images);
}

void check_finite(const at::Tensor& logits, const StepInfo& step) {
  if (at::isfinite(logits).all().item<bool>()) return;
  throw Error(
      ErrorKind::kNumerics,
      fmt::format("logits of scale {} ({} x {}) are NaN or infinite; expected finite numbers. Are "
                  "the weights damaged, or is the precision too low for them?",
                  step.index, step.grid_height, step.grid_width));
}

}  // namespace

std::vector<double> per_scale(const std::vector<double>& values,
                              size_t scales,
                              const std::string& what) {
  if (values.size() == 1) return std::vector<double>(scales, values.front());
  if (values.size() == scales) return values;
  throw Error(ErrorKind::kConfig,
              fmt::format("{} has {} values; expected 1 or one for each of the {} scales", what,
                          values.size(), scales));
}

bool guided(const std::vector<double>& cfg) {
  return std::any_of(cfg.begin(), cfg.end(), [](double value) { return value != 1.0; });
}

int64_t cache_rows(int64_t images, const std::vector<double>& cfg) {
  return guided(cfg) ? 2 * images : images;
}

Generation generate(const TransformerConfig& config,
                    const TransformerWeights& weights,
                    const PictureGeometry& picture,
                    const TextFeatures& text,
                    const GenerateOptions& options,
                    std::span<at::Generator> generators,
                    AttentionContext& context,
                    const std::function<void(const StepResult&)>& on_step) {
  const at::NoGradGuard no_grad;
  const std::vector<StepInfo>& steps = context.cache.plan().geometry().steps;
  const std::vector<double> cfg = per_scale(options.cfg, steps.size(), "gen.cfg");
  const std::vector<double> tau = per_scale(options.tau, steps.size(), "gen.tau");
  const auto images = text.features.size(0);
  const bool doubled = guided(cfg);

  context.cache.clear();
  if (context.controller != nullptr) context.controller->begin_generation(context.cache.rows());
  for (AttentionObserver* observer : context.observers) {
    observer->begin_generation(context.cache.rows());
  }
  const Conditioning conditioning =
      condition(config, weights, doubled ? with_unconditional(weights, text) : text);
  const std::vector<CrossKeysValues> cross = cross_keys_values(config, weights, conditioning);

  Generation result;
  const auto [latent_height, latent_width] =
      picture.latent(static_cast<int64_t>(steps.size()) - 1, config.patchify);
  at::Tensor summed = at::zeros({images, config.code_bits, latent_height, latent_width},
                                conditioning.pooled.options().dtype(at::kFloat));
  at::Tensor x = conditioning.pooled.unsqueeze(1) + weights.pos_start;
  for (const StepInfo& step : steps) {
    const auto start = std::chrono::steady_clock::now();
    const double attention_before = context.attention_ms;
    const double policy_before = context.policy_ms;
    const SelfAttention attend_step = [&](int64_t layer, const at::Tensor& q, const at::Tensor& k,
                                          const at::Tensor& v, const at::Tensor& hidden,
                                          const at::Tensor& query_weight) {
      return attend(context, step, layer, q, k, v, 1.0, hidden, query_weight);
    };
    Rotation rotation = scale_rotation(config, picture, step.index);
    rotation = {rotation.cosine.to(x.device()), rotation.sine.to(x.device())};
    x = x + weights.level_embedding.select(0, step.index);
    for (int64_t layer = 0; layer < config.depth; ++layer) {
      x = block(config, weights, layer, x, rotation, conditioning,
                cross[static_cast<size_t>(layer)], attend_step);
    }
    const auto si = static_cast<size_t>(step.index);
    const at::Tensor logits =
        mixed(head(weights, x, conditioning.pooled), images, cfg[si], tau[si]);
    check_finite(logits, step);
    const at::Tensor bits =
        options.forced_bits.empty()
            ? sample_bits(logits, options.top_k, options.top_p, generators)
                  .view({images, step.grid_height, step.grid_width, config.token_bits()})
            : options.forced_bits.at(si).to(x.device());
    const at::Tensor codes = bits_to_codes(config.patchify ? unpatch_bits(bits) : bits);
    summed = accumulate(summed, codes, picture, step.index, config.patchify);
    if (si + 1 < steps.size()) {
      const at::Tensor input = next_input(summed, picture, step.index + 1, config.patchify);
      x = at::linear(input, weights.word_weight, weights.word_bias);
      if (doubled) x = x.repeat({2, 1, 1});
    }
    result.token_bits.push_back(bits);
    result.step_ms.push_back(milliseconds_since(start));
    if (on_step) {
      on_step({step, logits, bits, result.step_ms.back(), context.attention_ms - attention_before,
               context.policy_ms - policy_before});
    }
  }
  result.summed_codes = summed;
  result.attention_ms = context.attention_ms;
  result.policy_ms = context.policy_ms;
  return result;
}

}  // namespace kvscope::infinity
