#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/engine/attend.h"
#include "core/engine/kv_memory.h"
#include "core/engine/plan.h"
#include "policies/budget.h"
#include "policies/slots.h"

namespace kvscope {

/// One component a slot; protect may have none or several.
struct PolicySlots {
  std::unique_ptr<Allocate> allocate;
  std::unique_ptr<Score> score;
  std::vector<std::unique_ptr<Protect>> protect;
  std::unique_ptr<Store> store;
  std::unique_ptr<Schedule> schedule;
  std::unique_ptr<Read> read;
};

/// A budget put into a plan.
struct PlannedBudget {
  Plan plan{};
  int64_t tokens = 0;         ///< per (layer, head): what the budget's number means
  int64_t target_tokens = 0;  ///< what allocate was given, so that the plan stays within them
};

/// Six slots put to work: plans a run, then says at every (step, layer) what is attended to and
/// which tokens stay.
class Policy : public CacheController {
 public:
  Policy(std::string name, PolicySlots slots);

  [[nodiscard]] const std::string& name() const { return name_; }

  /// Tokens kept after every (step, layer, head) with the largest target of the evictions that
  /// stays within the budget. `rows_per_image` (2 under guidance) is what a budget in bytes is
  /// shared by. Throws Error(kConfig) with the nearest feasible budget where it is impossible, or
  /// smaller than what protect refuses to drop.
  [[nodiscard]] PlannedBudget plan_budget(const CacheGeometry& geometry,
                                          const Budget& budget,
                                          int64_t rows_per_image = 1) const;
  /// The plan alone.
  [[nodiscard]] Plan plan(const CacheGeometry& geometry,
                          const Budget& budget,
                          int64_t rows_per_image = 1) const;

  /// What allocate has to say about a plan whose evictions aim at `target_tokens` (PlannedBudget),
  /// and what attention reads of it where that is not everything; a line each.
  [[nodiscard]] std::vector<std::string> remarks(const Plan& plan, int64_t target_tokens) const;

  /// Rows r and r + rows / 2 are a guidance pair (every family has the conditional rows above the
  /// unconditional ones) and keep the same tokens from now on: those with the largest sum of both
  /// rows' scores. What either row protects stays; where that is too much, what the conditional one
  /// does. Otherwise, as from the start, every row decides for itself.
  void tie_guidance_pairs(bool tied) { tied_rows_ = tied; }

  /// EvictionTiming leave tokens in the order of their positions, even where every component is
  /// order_free().
  void keep_order() { order_free_ = false; }

  void begin_generation(int64_t rows) override;
  [[nodiscard]] Reading read(const KvCache& cache,
                             const StepInfo& step,
                             int64_t layer) const override;
  /// Where cached keys stand when a query looks at them, in every step.
  [[nodiscard]] KeyPositions key_positions() const { return slots_.read->positions(); }
  /// What exists beside the tokens held under a plan of this policy, which outlives the answer.
  [[nodiscard]] KvTransients kv_transients(const Plan& plan, EvictionTiming timing) const;
  /// Keeps, per (row, head), the protected tokens and the best of the rest, as many as the cache's
  /// plan says; nullopt where nothing is dropped. Padding goes first. Where all components and the
  /// cache allow it, what stays fills the holes. Throws Error(kNumerics) naming layer, row and head
  /// where a score is not finite.
  std::optional<KeptIndices> decide(const LayerStep& layer_step) override;
  /// Scores of all layers come from a device in one copy.
  std::vector<std::optional<KeptIndices>> decide_step(std::span<const LayerStep> layers) override;

  /// What decide() ranks by: [rows, heads, tokens] floating point, tokens of the longest head.
  [[nodiscard]] at::Tensor scores(const LayerStep& layer_step) const;
  /// 1 for every token of [history | current step] of one (row, head) that must stay; 0 for padding
  /// whatever the components say, as nobody sees it.
  [[nodiscard]] std::vector<uint8_t> protection(const LayerStep& layer_step,
                                                int64_t row,
                                                int64_t head) const;

 private:
  /// A plan, or why there is none.
  struct Attempt {
    std::optional<Plan> plan{};
    std::string problem{};
  };
  /// The plan whose evictions aim at `tokens`.
  [[nodiscard]] Attempt attempt(const CacheGeometry& geometry,
                                const Budget& budget,
                                int64_t tokens) const;
  [[nodiscard]] int64_t protected_tokens(const CacheGeometry& geometry,
                                         const StepInfo& step,
                                         int64_t budget_tokens) const;
  /// Smallest budget in tokens that leaves capacity for what is protected at every step.
  [[nodiscard]] int64_t min_budget(const CacheGeometry& geometry) const;
  /// protection() with the window at hand.
  [[nodiscard]] std::vector<uint8_t> protection(const LayerStep& layer_step,
                                                int64_t row,
                                                int64_t head,
                                                std::span<const int64_t> window) const;
  /// What stays of a layer; `scores` as scores() gives them.
  [[nodiscard]] KeptIndices choose(const LayerStep& layer_step, const at::Tensor& scores) const;
  /// [heads][available] what rows that decide together must keep.
  [[nodiscard]] std::vector<std::vector<uint8_t>> protection_of(
      const LayerStep& layer_step,
      std::span<const int64_t> rows,
      std::span<const int64_t> window) const;
  /// Tokens of each head of a row: the plan's, or under kLayer what allocate gives them. `scores`
  /// [heads, tokens].
  [[nodiscard]] std::vector<int64_t> counts_of_row(
      const LayerStep& layer_step,
      int64_t row,
      const at::Tensor& scores,
      std::span<const std::vector<uint8_t>> is_protected) const;
  [[nodiscard]] std::vector<int64_t> keep_of_head(const LayerStep& layer_step,
                                                  std::span<const int64_t> rows,
                                                  int64_t head,
                                                  int64_t count,
                                                  const at::Tensor& scores,
                                                  std::span<const uint8_t> is_protected) const;

  std::string name_;
  PolicySlots slots_;
  bool tied_rows_ = false;
  bool order_free_ = false;
};

}  // namespace kvscope
