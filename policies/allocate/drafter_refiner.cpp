#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "policies/allocate/drafter_budget.h"
#include "policies/allocate/drafter_roles.h"
#include "policies/allocate/scalekv_tables.h"
#include "policies/part.h"

namespace kvscope {
namespace {

/// The released 8B file lets no refiner fall below 200 of 650 tokens; the rule without this floor
/// would give 188 there.
constexpr double kReleasedFloor = 200.0 / 650.0;

LayerHeadTokens same_in_all_heads(const std::vector<int64_t>& layers, int64_t heads) {
  LayerHeadTokens tokens;
  for (const int64_t count : layers) {
    tokens.emplace_back(static_cast<std::size_t>(heads), count);
  }
  return tokens;
}

/// ScaleKV's budgets (arXiv:2505.19602, section 3.3) by the rule behind the released files; nothing
/// is dropped while the full cache holds at most the budget.
class DrafterRefiner : public Allocate {
 public:
  DrafterRefiner(DrafterRoles roles, double floor_fraction)
      : roles_(std::move(roles)), floor_fraction_(floor_fraction) {}

  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    const int64_t budget = request.budget_tokens;
    if (request.step.first_token + request.step.queries() <= budget) {
      return request.available;
    }
    const int64_t layers = request.geometry.layers;
    std::vector<int64_t> available;
    for (const auto& heads : request.available) {
      available.push_back(*std::min_element(heads.begin(), heads.end()));
    }
    const std::vector<int64_t> drafters = roles_.after(request.geometry, request.step);
    int64_t limit = budget;
    for (const int64_t layer : drafters) {
      limit = std::max(limit, available[layer]);
    }
    const auto each = drafter_budget(layers, static_cast<int64_t>(drafters.size()), budget, limit,
                                     least_refiner(request));
    std::vector<int64_t> wanted(static_cast<std::size_t>(layers), each.refiner_tokens);
    for (const int64_t layer : drafters) {
      wanted[layer] = each.drafter_tokens;
    }
    std::vector<int64_t> refiners;
    for (int64_t layer = 0; layer < layers; ++layer) {
      if (!std::binary_search(drafters.begin(), drafters.end(), layer)) {
        refiners.push_back(layer);
      }
    }
    // A layer that becomes a drafter only now cannot hold what it no longer has.
    return same_in_all_heads(fit_to_available(wanted, available, refiners, budget * layers),
                             request.geometry.heads);
  }

 private:
  [[nodiscard]] int64_t least_refiner(const AllocationRequest& request) const {
    const double exact = static_cast<double>(request.budget_tokens) * floor_fraction_;
    // 650 * (200 / 650) must be 200 in floating point too.
    const auto floor = static_cast<int64_t>(std::floor(exact + 1e-6));
    return std::min(std::max(floor, request.protected_tokens), request.budget_tokens);
  }

  DrafterRoles roles_;
  double floor_fraction_;
};

/// The capacities of a released file as they stand, for the model they were made for or for fewer
/// of its layers.
class ReleasedTable : public Allocate {
 public:
  ReleasedTable(std::string name, ScaleKvTable table)
      : name_(std::move(name)), table_(std::move(table)) {}

  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    check(request);
    if (request.step.first_token + request.step.queries() <= table_.base_tokens) {
      return request.available;
    }
    const ScaleKvBudget* budget = table_.after(request.step.index);
    if (budget == nullptr) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("policy.allocate.table={}: it starts before scale {}, but this "
                              "schedule exceeds {} tokens before scale {}; use roles={} instead",
                              name_, table_.budgets.front().next_scale, table_.base_tokens,
                              request.step.index + 2, name_));
    }
    std::vector<int64_t> tokens(static_cast<std::size_t>(request.geometry.layers),
                                budget->min_tokens);
    for (const int64_t layer : budget->drafters) {
      if (layer < request.geometry.layers) {
        tokens[layer] = budget->max_tokens;
      }
    }
    return same_in_all_heads(tokens, request.geometry.heads);
  }

 private:
  void check(const AllocationRequest& request) const {
    const auto scales = static_cast<int64_t>(request.geometry.steps.size());
    if (scales != table_.budgets.back().next_scale || request.geometry.layers > table_.layers) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("policy.allocate.table={}: made for {} scales and at most {} layers, "
                              "not {} and {}; use roles={} instead",
                              name_, table_.budgets.back().next_scale, table_.layers, scales,
                              request.geometry.layers, name_));
    }
    if (request.budget_tokens != table_.base_tokens) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("policy.allocate.table={}: made for budget.tokens={}, not {}", name_,
                              table_.base_tokens, request.budget_tokens));
    }
  }

  std::string name_;
  ScaleKvTable table_;
};

}  // namespace

/// roles (auto): see DrafterRoles. refiner_floor_fraction (200/650): share of the budget below
/// which no refiner falls. table (none): released_2b | released_8b takes the capacities of that
/// file and leaves the other options unread.
std::unique_ptr<Allocate> make_allocate_drafter_refiner(PartOptions& options) {
  auto roles = DrafterRoles::from_options(options);
  const double floor = options.number("refiner_floor_fraction", kReleasedFloor, 0.0, 1.0);
  const std::string table = options.word("table", "none", {"none", "released_2b", "released_8b"});
  if (table == "none") {
    return std::make_unique<DrafterRefiner>(std::move(roles), floor);
  }
  return std::make_unique<ReleasedTable>(
      table, table == "released_2b" ? released_2b_table() : released_8b_table());
}

}  // namespace kvscope
