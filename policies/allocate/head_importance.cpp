#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "policies/component.h"
#include "policies/profiles/head_map.h"
#include "policies/shares/head_capacity.h"

namespace kvscope {
namespace {

/// HeadKV (arXiv:2410.19258): heads that retrieve more keep more, by a table found once for a model
/// (head_capacity.h). The window, here all that protect refuses to drop, is every head's own; what
/// is left of the budget is shared, so that the mean is the budget up to rounding.
class HeadImportance : public Allocate {
 public:
  HeadImportance(HeadMap map, double beta) : map_(std::move(map)), beta_(beta) {}

  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    const CacheGeometry& geometry = request.geometry;
    LayerHeadTokens tokens(geometry.layers, geometry.heads, request.budget_tokens);
    const int64_t shared = request.budget_tokens - request.protected_tokens;
    const int64_t generated = request.step.first_token + request.step.queries();
    const HeadTable* table = map_.of(geometry);
    if (table == nullptr || shared <= 0 || generated <= request.budget_tokens) return tokens;
    tokens = head_capacities(importance(*table, geometry), static_cast<double>(shared), beta_);
    for (int64_t& count : tokens.all()) {
      count = std::max<int64_t>(1, count + request.protected_tokens);
    }
    return tokens;
  }

 private:
  static std::vector<std::vector<double>> importance(const HeadTable& table,
                                                     const CacheGeometry& geometry) {
    table.check(geometry);
    std::vector<std::vector<double>> values(static_cast<std::size_t>(geometry.layers));
    bool positive = false;
    for (int64_t layer = 0; layer < geometry.layers; ++layer) {
      for (int64_t head = 0; head < geometry.heads; ++head) {
        const double value = table.at(layer, head);
        if (value < 0) {
          throw Error(
              ErrorKind::kConfig,
              fmt::format("{}: the importance of layer {}, head {} is {}; nearest feasible: "
                          "0",
                          table.source(), layer, head, value));
        }
        positive = positive || value > 0;
        values[static_cast<std::size_t>(layer)].push_back(value);
      }
    }
    if (!positive) {
      throw Error(ErrorKind::kConfig,
                  table.source() + ": every importance is 0; expected one above it");
    }
    return values;
  }

  HeadMap map_;
  double beta_;
};

}  // namespace

std::unique_ptr<Allocate> make_allocate_head_importance(Options& options) {
  auto map = HeadMap::from_options(
      options,
      {.table = "importance",
       .none = "uniform",
       .help = "how important every head is, numbers >= 0; `kvscope attention heads` measures it"});
  return std::make_unique<HeadImportance>(
      std::move(map),
      options.number({.key = "beta",
                      .default_value = 1.01,
                      .min = 1,
                      .max = 1e6,
                      .help = "the part 1 - 1/beta of the budget is every head's own"}));
}

}  // namespace kvscope
