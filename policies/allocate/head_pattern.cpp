#include <algorithm>
#include <cmath>

#include "policies/component.h"
#include "policies/profiles/head_map.h"
#include "policies/shares/two_kinds.h"

namespace kvscope {
namespace {

/// HACK's budgets (arXiv:2504.09261): B = alpha B_C + (1 - alpha) B_S. Heads of kind 1 are
/// contextual: all their queries look at the same keys (vertical lines in the attention map), so a
/// few tokens serve them. They are the share alpha of all heads with the lowest variance, over the
/// last step's queries, of what a key receives. Heads of kind 0 are structural (diagonals).
class AllocateHeadPattern : public Allocate {
 public:
  AllocateHeadPattern(HeadMap map, double alpha, double contextual_budget)
      : map_(std::move(map)), alpha_(alpha), contextual_budget_(contextual_budget) {}

  [[nodiscard]] HeadKinds head_kinds() const override { return HeadKinds::kStructuralContextual; }

  [[nodiscard]] HeadTypes head_types(const CacheGeometry& geometry) const override {
    const HeadTable* table = map_.of(geometry);
    if (table != nullptr) {
      const auto all = static_cast<double>(geometry.layers * geometry.heads);
      return lowest_heads(*table, geometry, std::llround(alpha_ * all));
    }
    return HeadTypes(static_cast<std::size_t>(geometry.layers),
                     std::vector<uint8_t>(static_cast<std::size_t>(geometry.heads), 0));
  }

  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    const auto wanted =
        std::llround(contextual_budget_ * static_cast<double>(request.budget_tokens));
    return share_among_kinds(head_types(request.geometry), request.budget_tokens,
                             std::max({int64_t{wanted}, request.protected_tokens, int64_t{1}}),
                             full_cache_tokens(request.geometry.steps));
  }

 private:
  HeadMap map_;
  double alpha_;
  double contextual_budget_;
};

}  // namespace

/// A model without a profile has structural heads only, which look by attention too.
std::unique_ptr<Allocate> make_allocate_head_pattern(Options& options) {
  auto map = HeadMap::from_options(
      options, {.help = "variance of every head over its queries; `kvscope attention heads "
                        "--metric variance` measures it. none: all structural"});
  const double alpha = options.number(
      {.key = "alpha",
       .default_value = 0.5,
       .min = 0,
       .max = 1,
       .help =
           "share of contextual heads, those with the least variance; the paper gives no number"});
  const double budget =
      options.number({.key = "contextual_budget",
                      .default_value = 0.5,
                      .min = 0,
                      .max = 1,
                      .help = "B_C in budgets B, B_S follows; the paper gives no number"});
  return std::make_unique<AllocateHeadPattern>(std::move(map), alpha, budget);
}

}  // namespace kvscope
