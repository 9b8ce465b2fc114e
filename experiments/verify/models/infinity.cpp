#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <map>

#include "core/config/yaml.h"
#include "core/models/infinity/sample.h"
#include "core/models/next_scale/sample.h"
#include "core/models/shared/guidance.h"
#include "experiments/verify/cache_check.h"
#include "experiments/verify/group_check.h"
#include "experiments/verify/kinds.h"
#include "experiments/verify/models/infinity_run.h"
#include "policies/profiles/scalekv_tables.h"
#include "policies/registry.h"
#include "policies/replay.h"

namespace kvscope::verify {
namespace {

// The recorded decision of (step, layer); nullopt where the plan drops nothing there and nothing is
// recorded.
std::optional<KeptIndices> recorded_kept(
    GoldenFile& file, const Plan& plan, int64_t rows, int64_t step, int64_t layer) {
  const std::string name = fmt::format("kept.{}.{}", step, layer);
  const int64_t heads = plan.geometry().heads;
  const int64_t available = plan.geometry().steps[static_cast<size_t>(step)].queries() +
                            (step == 0 ? 0 : plan.kept(step - 1, layer, 0));
  const int64_t count = plan.kept(step, layer, 0);
  if (count == available && !file.has(name)) return std::nullopt;
  const at::Tensor lines = file.tensor(name, {rows, heads, count}).to(at::kLong).contiguous();
  const auto* first = lines.const_data_ptr<int64_t>();
  KeptIndices kept;
  for (int64_t slot = 0; slot < rows * heads; ++slot) {
    kept.emplace_back(first + slot * count, first + (slot + 1) * count);
  }
  return kept;
}

// Sets of kept tokens. Pooling leaves runs of equal scores; which of them the reference's topk
// takes can hang on the last bit of another score, so sets that differ only there do not fail.
GroupResult kept_result(const Replay& replay) {
  int64_t sets = 0;
  int64_t identical = 0;
  int64_t tied = 0;
  std::string where;
  for (const DecisionComparison& comparison : replay.comparisons()) {
    sets += comparison.heads;
    identical += comparison.identical;
    tied += comparison.tied;
    if (comparison.different() > 0 && where.empty()) {
      where = fmt::format(", first in kept.{}.{}", comparison.step, comparison.layer);
    }
  }
  const int64_t different = sets - identical - tied;
  std::string note = fmt::format("{} of {} sets of tokens identical", identical, sets);
  if (tied > 0) note += fmt::format(", {} differ only among equal scores", tied);
  if (different > 0) note += fmt::format(", {} differ{}", different, where);
  return {.group = "kept",
          .largest_difference = static_cast<double>(different),
          .ok = different == 0,
          .note = note};
}

// Recorded bits against recomputed logits: what a draw from the recorded seed gives, and, where it
// gives others (random streams differ between builds of LibTorch and processors), whether each
// recorded bit could be drawn at all.
class BitsCheck {
 public:
  BitsCheck(std::optional<uint64_t> seed, double top_p) : top_p_(top_p) {
    if (seed) generator_ = at::detail::createCPUGenerator(*seed);
  }

  void observe(const at::Tensor& logits, const at::Tensor& recorded) {
    total_ += recorded.numel();
    if (generator_) {
      // One generator for the whole batch, rows in the order image, token, bit.
      const at::Tensor drawn = infinity::sample_bits(logits.reshape({1, -1, logits.size(2)}), 0,
                                                     top_p_, {&*generator_, 1});
      redrawn_differently_ += (drawn.view_as(recorded) != recorded).sum().item<int64_t>();
    }
    const at::Tensor pairs = logits.reshape({recorded.numel(), 2});
    const at::Tensor index = recorded.reshape({-1, 1}).to(at::kLong);
    const at::Tensor kept = keep_likely(pairs, 0, top_p_).gather(1, index);
    // A probability next to the threshold may fall to either side of it.
    const at::Tensor clear = at::softmax(pairs, -1).gather(1, index) <= 1 - top_p_ - kTolerance;
    impossible_ += at::logical_and(kept.isinf(), clear).sum().item<int64_t>();
  }

  [[nodiscard]] GroupResult result() const {
    GroupResult result{
        .group = "bits",
        .largest_difference = static_cast<double>(impossible_),
        .ok = impossible_ == 0,
        .note = fmt::format("{} bits, {} of them cannot be drawn", total_, impossible_)};
    if (generator_ && redrawn_differently_ == 0) {
      result.note = fmt::format("{} bits, drawn again from the seed: all equal", total_);
    } else if (generator_) {
      result.note +=
          fmt::format("; a draw from the seed gives {} others here", redrawn_differently_);
    }
    return result;
  }

 private:
  double top_p_;
  std::optional<at::Generator> generator_;
  int64_t total_ = 0;
  int64_t redrawn_differently_ = 0;
  int64_t impossible_ = 0;
};

// A recorded series may leave out its first scales (they are small), not one in between.
int64_t first_recorded_logits(const GoldenFile& file, int64_t scales) {
  int64_t first = 0;
  while (first + 1 < scales && !file.has(fmt::format("logits.{}", first))) ++first;
  return first;
}

std::vector<GroupResult> recompute(GoldenFile& file,
                                   const InfinityRun& run,
                                   const Plan& plan,
                                   Policy* policy) {
  KvCache cache(plan, cache_rows(run.images, run.options.cfg), file.device());
  std::optional<Replay> replay;
  if (policy != nullptr) {
    replay.emplace(*policy, [&](int64_t step, int64_t layer) {
      return recorded_kept(file, plan, cache.rows(), step, layer);
    });
  }
  AttentionContext context{.cache = cache, .controller = replay ? &*replay : nullptr};
  const auto scales = static_cast<int64_t>(run.image.schedule.size());
  const int64_t first = first_recorded_logits(file, scales);
  GroupCheck logits("logits", kTolerance, kLogitShare);
  BitsCheck bits(run.seed, run.options.top_p);
  const auto compare_step = [&](const infinity::StepResult& step) {
    bits.observe(step.logits.cpu(), step.bits.cpu());
    if (step.step.index < first) return;
    const std::string name = fmt::format("logits.{}", step.step.index);
    logits.compare(step.logits, file.tensor(name, step.logits.sizes()), name);
  };
  std::vector<at::Generator> unused;
  const infinity::Generation generation = infinity::generate(
      run.config, run.weights, run.image, run.text, run.options, unused, context, compare_step);

  GroupCheck codes("summed_codes");
  codes.compare(generation.summed_codes,
                file.tensor("summed_codes", generation.summed_codes.sizes()), "summed_codes");
  std::vector<GroupResult> results{
      logits.result(first == 0 ? "" : fmt::format("recorded from scale {}", first)), bits.result(),
      codes.result()};
  if (replay) {
    if (replay->comparisons().empty()) {
      file.fail("no 'kept.S.L' is recorded: nothing shows the policy");
    }
    results.push_back(kept_result(*replay));
  }
  for (const bool keys : {true, false}) {
    results.push_back(check_cache(file, cache, run.images, keys));
  }
  return results;
}

// What the released ScaleKV code is called with, as configs/policy/scalekv.yaml fills the slots.
ConfigNode scalekv_policy(const GoldenFile& file) {
  static const std::map<std::string, std::string> tables = {{"2b_10%", "released_2b"},
                                                            {"8b_10%", "released_8b"}};
  const auto table = tables.find(file.text("budget"));
  if (table == tables.end()) {
    file.fail(
        fmt::format("metadata 'budget' is '{}'; expected a released budget: 2b_10% or "
                    "8b_10%",
                    file.text("budget")));
  }
  if (file.text("pool") != "maxpool") {
    file.fail(fmt::format("metadata 'pool' is '{}'; expected maxpool, the only one released",
                          file.text("pool")));
  }
  const std::string yaml = fmt::format(
      "name: scalekv\n"
      "allocate: {{name: drafter_refiner, budgets: {}, threshold: {}}}\n"
      "score: {{name: centroid_window, window: {}, kernel: {}, grid: square_1m}}\n"
      "protect: {{name: window}}\n",
      table->second, file.integer("base_capacity"), file.integer("window"), file.integer("kernel"));
  return load_yaml_text(yaml, file.path().string());
}

}  // namespace

std::vector<GroupResult> verify_infinity(GoldenFile& file) {
  const InfinityRun run = read_infinity_run(file);
  return recompute(file, run, full_plan(reference_geometry(run)), nullptr);
}

std::vector<GroupResult> verify_infinity_scalekv(GoldenFile& file) {
  const InfinityRun run = read_infinity_run(file);
  const std::unique_ptr<Policy> policy = make_policy(scalekv_policy(file));
  // Both released files are for 650 tokens, wherever `base_capacity` lets the evictions begin.
  const Budget budget{.unit = BudgetUnit::kTokens,
                      .amount = static_cast<double>(released_2b_table().base_tokens),
                      .moment = BudgetMoment::kEviction};
  const Plan plan = policy->plan(reference_geometry(run), budget);
  return recompute(file, run, plan, policy.get());
}

}  // namespace kvscope::verify
