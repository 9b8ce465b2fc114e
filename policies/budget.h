#pragma once

#include <cstdint>
#include <string>

#include "core/config/options.h"
#include "core/engine/plan.h"

namespace kvscope {

/// What the number of a budget counts.
enum class BudgetUnit : uint8_t {
  kRatio,   ///< share of a full cache, in (0, 1]
  kTokens,  ///< tokens per head
  kBytes,   ///< K and V of one image, its guidance rows included, as the policy stores them
  kLines,   ///< image lines of a next-token model
  kScales,  ///< as many tokens as the last n stored scales of a next-scale model have
};

/// Over what the number is a mean that has to hold.
enum class BudgetScope : uint8_t {
  kModel,  ///< all layers and heads together
  kLayer,  ///< the heads of every layer: no layer holds more
  kHead,   ///< nothing: no head holds more
  kStep,   ///< all layers and heads, at every eviction; a ratio is a share of what a full cache has
           ///< then
};

/// When the number has to hold.
enum class BudgetMoment : uint8_t {
  kEviction,  ///< after every eviction; what comes between two evictions is on top
  kEnd,       ///< going into the last step, wherever the last eviction was
  kPeak,      ///< always: layers store one after the other, and the most ever held at once counts
};

/// How much of its past a generation may keep. One definition for every unit and policy: the number
/// counts every token that is kept for one (layer, head) of one row - condition tokens, sinks and
/// the recent window among them -, on average over the `scope`, at the `moment`. 100 % is what a
/// full cache holds going into the last step (full_cache_tokens), the convention of the papers'
/// memory tables.
struct Budget {
  BudgetUnit unit = BudgetUnit::kRatio;
  double amount = 1.0;  ///< in `unit`; whole but for a ratio
  BudgetScope scope = BudgetScope::kModel;
  BudgetMoment moment = BudgetMoment::kEnd;
  bool free_text = false;  ///< condition tokens are not counted: they come on top of the number
  bool tied_rows = false;  ///< the rows of a guidance pair keep the same tokens

  static Budget of_ratio(double share) { return {.amount = share}; }
  static Budget of_tokens(int64_t count) {
    return {.unit = BudgetUnit::kTokens, .amount = static_cast<double>(count)};
  }
  bool operator==(const Budget&) const = default;
};

/// The budget that the keys of a `budget` group describe. Throws Error(kConfig) for another type or
/// word, or two of the four numbers.
Budget read_budget(Options& options);

/// The budget of a `budget` group: {ratio: 0.1} or one of tokens, bytes ("600MiB",
/// "1.5GB", a number), lines and scales, which replaces the ratio; scope (model), moment (end),
/// text (counted | free) and cfg_rows (separate | tied). null means not given. Throws
/// Error(kConfig) as read_budget(), and for another key.
Budget budget_from_config(const ConfigNode& node);

/// The `budget` group that says the same, without what is as by default: equal budgets give equal
/// groups.
ConfigNode budget_group(const Budget& budget);

/// "10 %", "650 tokens", "600 MiB, at the peak": as tables print it.
std::string budget_text(const Budget& budget);

/// The budget in tokens per (layer, head) at the end: a ratio is rounded to the nearest token,
/// bytes down, with the geometry's bytes per token and `rows_per_image` rows (2 under guidance). 0
/// for a generation of one step, which has no history to keep. Throws Error(kConfig) with the
/// nearest feasible value in the same unit where the number is not positive, above the full cache,
/// or rounds to nothing, or where the model has no lines or scales.
int64_t resolved_tokens(const Budget& budget,
                        const CacheGeometry& geometry,
                        int64_t rows_per_image = 1);

/// "budget.ratio=0.05": the least number in the budget's unit that resolves to `tokens` or more.
std::string budget_of_tokens(const Budget& budget,
                             int64_t tokens,
                             const CacheGeometry& geometry,
                             int64_t rows_per_image);

/// What the number limits, as `plan` has it: tokens per (layer, head), the mean over the scope's
/// part that holds most, at the budget's moment (kEviction: going into the last step).
double held_tokens(const Plan& plan, const Budget& budget);

/// Whether `plan` stays within the budget, whose number means `tokens`. Always true for kEviction
/// and kStep, which the plan meets by construction.
bool within_budget(const Plan& plan, const Budget& budget, int64_t tokens, int64_t rows_per_image);

}  // namespace kvscope
