#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/engine/attend.h"
#include "core/engine/plan.h"
#include "policies/budget.h"
#include "policies/slots.h"

namespace kvscope {

/// One part a slot; protect may have none or several.
struct PolicySlots {
  std::unique_ptr<Allocate> allocate;
  std::unique_ptr<Score> score;
  std::vector<std::unique_ptr<Protect>> protect;
  std::unique_ptr<Store> store;
  std::unique_ptr<Schedule> schedule;
};

/// Five slots put to work: plans a run, then decides at every (step, layer) which tokens stay.
class Policy : public CacheController {
 public:
  Policy(std::string name, PolicySlots slots);

  [[nodiscard]] const std::string& name() const { return name_; }

  /// Tokens kept after every (step, layer, head). Throws Error(kConfig) with the nearest feasible
  /// budget where it is impossible, or smaller than what protect refuses to drop.
  [[nodiscard]] Plan plan(const CacheGeometry& geometry, const Budget& budget) const;

  void begin_generation(int64_t rows) override;
  /// Keeps, per (row, head), the protected tokens and the best of the rest, as many as the cache's
  /// plan says; nullopt where nothing is dropped. Padding goes first. Throws Error(kNumerics)
  /// naming layer, row and head where a score is not finite.
  std::optional<KeptIndices> decide(const LayerStep& layer_step) override;

  /// What decide() ranks by: [rows, heads, tokens] fp32 on the CPU, tokens of the longest head.
  [[nodiscard]] at::Tensor scores(const LayerStep& layer_step) const;
  /// 1 for every token of [history | current step] of one (row, head) that must stay; 0 for padding
  /// whatever the parts say, as nobody sees it.
  [[nodiscard]] std::vector<uint8_t> protection(const LayerStep& layer_step,
                                                int64_t row,
                                                int64_t head) const;

 private:
  [[nodiscard]] int64_t protected_tokens(const CacheGeometry& geometry,
                                         const StepInfo& step,
                                         int64_t budget_tokens) const;
  /// Smallest budget in tokens that leaves room for what is protected at every step.
  [[nodiscard]] int64_t least_budget(const CacheGeometry& geometry) const;
  /// protection() with the window at hand.
  [[nodiscard]] std::vector<uint8_t> protection(const LayerStep& layer_step,
                                                int64_t row,
                                                int64_t head,
                                                std::span<const int64_t> window) const;
  [[nodiscard]] KeptIndices choose(const LayerStep& layer_step) const;
  /// Tokens of each head of a row: the plan's, or under kLayer what allocate gives them.
  [[nodiscard]] std::vector<int64_t> counts_of_row(
      const LayerStep& layer_step,
      int64_t row,
      const at::Tensor& scores,
      std::span<const std::vector<uint8_t>> is_protected) const;
  [[nodiscard]] std::vector<int64_t> keep_of_head(const LayerStep& layer_step,
                                                  int64_t row,
                                                  int64_t head,
                                                  int64_t count,
                                                  const at::Tensor& scores,
                                                  std::span<const uint8_t> is_protected) const;

  std::string name_;
  PolicySlots slots_;
};

}  // namespace kvscope
