#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/models/next_scale/sample.h"
#include "core/models/shared/guidance.h"
#include "experiments/verify/cache_check.h"
#include "experiments/verify/group_check.h"
#include "experiments/verify/kinds.h"
#include "experiments/verify/models/var_run.h"

namespace kvscope::verify {
namespace {

// Recorded ids against recomputed logits: what a draw from the recorded seed gives, and, where it
// gives others (random streams differ between builds of LibTorch and processors), whether each
// recorded id could be drawn at all.
class IdsCheck {
 public:
  explicit IdsCheck(const VarRun& run) : top_k_(run.options.top_k), top_p_(run.options.top_p) {
    if (run.seed) generator_ = at::detail::createCPUGenerator(*run.seed);
  }

  void observe(const at::Tensor& logits, const at::Tensor& ids) {
    total_ += ids.numel();
    const at::Tensor rows = logits.reshape({1, -1, logits.size(2)});
    const at::Tensor kept = keep_likely(rows, top_k_, top_p_);
    if (generator_) {
      // One generator for the whole batch, rows in the order image, token.
      const at::Tensor drawn = sample_rows(at::softmax(kept, -1), {&*generator_, 1});
      redrawn_differently_ += (drawn.flatten() != ids.flatten()).sum().item<int64_t>();
    }
    // Next to a threshold rounding decides: an id is impossible only where a cut that lets more
    // through drops it as well.
    const at::Tensor raised = rows.scatter_add(
        2, ids.reshape({1, -1, 1}), at::full({1, ids.numel(), 1}, kTolerance, rows.options()));
    const at::Tensor wide = keep_likely(raised, top_k_, std::min(1.0, top_p_ + kTolerance));
    impossible_ += wide.gather(2, ids.reshape({1, -1, 1})).isinf().sum().item<int64_t>();
  }

  [[nodiscard]] GroupResult result() const {
    GroupResult result{
        .group = "ids",
        .largest_difference = static_cast<double>(impossible_),
        .ok = impossible_ == 0,
        .note = fmt::format("{} ids, {} of them cannot be drawn", total_, impossible_)};
    if (generator_ && redrawn_differently_ == 0) {
      result.note = fmt::format("{} ids, drawn again from the seed: all equal", total_);
    } else if (generator_) {
      result.note +=
          fmt::format("; a draw from the seed gives {} others here", redrawn_differently_);
    }
    return result;
  }

 private:
  int64_t top_k_;
  double top_p_;
  std::optional<at::Generator> generator_;
  int64_t total_ = 0;
  int64_t redrawn_differently_ = 0;
  int64_t impossible_ = 0;
};

// Logits are recorded for some scales, and there for the first tokens.
class LogitsCheck {
 public:
  explicit LogitsCheck(GoldenFile& file) : file_(file) {}

  void observe(const StepInfo& step, const at::Tensor& logits) {
    const std::string name = fmt::format("logits.{}", step.index);
    if (!file_.has(name)) return;
    const std::vector<int64_t> shape = file_.shape(name);
    if (shape.size() != 3 || shape[1] < 1 || shape[1] > step.queries()) {
      file_.fail(fmt::format("tensor '{}' must be [{}, 1..{}, {}]", name, logits.size(0),
                             step.queries(), logits.size(2)));
    }
    check_.compare(logits.narrow(1, 0, shape[1]),
                   file_.tensor(name, {logits.size(0), shape[1], logits.size(2)}), name);
    most_tokens_ = std::max(most_tokens_, shape[1]);
  }

  [[nodiscard]] GroupResult result(size_t scales) const {
    if (check_.compared() == 0) return not_in_file("logits", "logits.0 and later scales'");
    return check_.result(fmt::format("first {} token{} of {} of {} scales", most_tokens_,
                                     most_tokens_ == 1 ? "" : "s", check_.compared(), scales));
  }

 private:
  GoldenFile& file_;
  GroupCheck check_{"logits", kTolerance, kLogitShare};
  int64_t most_tokens_ = 0;
};

// Images are recorded for all images or the first ones, in full or their first lines.
GroupResult check_image(GoldenFile& file, const VarRun& run, const at::Tensor& features) {
  if (!run.decoder) return not_in_file("image", "vae.decoder.*");
  if (!file.has("image")) return not_in_file("image", "image");
  const std::vector<int64_t> shape = file.shape("image");
  const int64_t height = features.size(2) * run.vae.stride();
  const int64_t width = features.size(3) * run.vae.stride();
  if (shape.size() != 4 || shape[0] < 1 || shape[0] > features.size(0) || shape[2] < 1 ||
      shape[2] > height) {
    file.fail(fmt::format("tensor 'image' must be [1..{}, 3, 1..{}, {}]", features.size(0), height,
                          width));
  }
  const at::Tensor recorded = file.tensor("image", {shape[0], 3, shape[2], width});
  const at::Tensor decoded =
      var::vqvae_decode(run.vae, *run.decoder, features.narrow(0, 0, shape[0]));
  GroupCheck image("image");
  image.compare(((decoded.clamp(-1, 1) + 1) / 2).narrow(2, 0, shape[2]), recorded, "image");
  return image.result(fmt::format("{} of {} images, {} of {} lines, in [0, 1]", shape[0],
                                  features.size(0), shape[2], height));
}

}  // namespace

std::vector<GroupResult> verify_var(GoldenFile& file) {
  const at::NoGradGuard no_grad;
  const VarRun run = read_var_run(file);
  const auto images = static_cast<int64_t>(run.labels.size());
  CacheGeometry geometry = cache_geometry(run.config.attention(), next_scale_steps(run.schedule));
  geometry.steps.back().stored = true;  // as the reference does: the recorded caches hold it
  KvCache cache(full_plan(geometry), cache_rows(images, run.options.cfg, var::kUnguided),
                file.device());
  AttentionContext context{.cache = cache};
  LogitsCheck logits(file);
  IdsCheck ids(run);
  std::vector<at::Generator> unused;
  const var::Generation generation =
      var::generate(run.config, run.weights, run.vae, run.quantizer, run.schedule, run.labels,
                    run.options, unused, context, [&](const var::StepResult& step) {
                      if (!run.has_head) return;
                      logits.observe(step.step, step.logits);
                      ids.observe(step.logits.cpu(), step.ids.cpu());
                    });

  std::vector<GroupResult> results;
  results.push_back(run.has_head ? logits.result(run.schedule.size())
                                 : not_in_file("logits", "model.head.weight"));
  results.push_back(run.has_head ? ids.result() : not_in_file("ids", "model.head.weight"));
  GroupCheck features("f_hat");
  features.compare(generation.features, file.tensor("f_hat", generation.features.sizes()), "f_hat");
  results.push_back(features.result());
  results.push_back(check_image(file, run, generation.features));
  results.push_back(check_cache(file, cache, images, true));
  results.push_back(check_cache(file, cache, images, false));
  return results;
}

}  // namespace kvscope::verify
