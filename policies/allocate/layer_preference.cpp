#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "policies/component.h"
#include "policies/profiles/head_map.h"
#include "policies/shares/layer_budgets.h"

namespace kvscope {
namespace {

/// CAKE's layer budgets (arXiv:2503.12491): beside what is protected, each layer holds
/// a part of the model's tokens in proportion to its preference,
///   C_l = protected + pref_l / sum(pref) * (C - protected) * layers,
/// truncated, clipped at what a layer can hold and redistributed (layer_budgets.h), so that the
/// layers hold C on average, exactly.
class LayerPreference : public Allocate {
 public:
  explicit LayerPreference(HeadMap map) : map_(std::move(map)) {}

  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    const int64_t layers = request.geometry.layers;
    const int64_t window = std::min(request.protected_tokens, request.budget_tokens);
    const int64_t limit = request.step.first_token + request.step.queries() - window;
    const int64_t total = (request.budget_tokens - window) * layers;
    const std::vector<double> preferences = preferences_of(request.geometry);
    const int64_t least = window > 0 ? 0 : 1;  // no layer is left without a token
    std::vector<int64_t> budgets = fitted_budgets(preferred_budgets(preferences, total, limit),
                                                  std::min(total, limit * layers), least, limit);
    for (int64_t& budget : budgets) budget += window;
    return LayerHeadTokens::of_layers(budgets, request.geometry.heads);
  }

 private:
  [[nodiscard]] std::vector<double> preferences_of(const CacheGeometry& geometry) const {
    const HeadTable* table = map_.of(geometry);
    if (table == nullptr) return std::vector<double>(static_cast<size_t>(geometry.layers), 1.0);
    if (table->profile() != nullptr) check_profile(*table->profile(), geometry);
    if (table->layers() < geometry.layers) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: preferences of {} layers; the model has {}", table->source(),
                              table->layers(), geometry.layers));
    }
    std::vector<double> values;
    for (int64_t layer = 0; layer < geometry.layers; ++layer) {
      values.push_back(table->at(layer, 0));
      if (table->heads() != 1 || values.back() < 0) {
        throw Error(ErrorKind::kConfig, fmt::format("{}: layer {}: expected one number of at "
                                                    "least 0",
                                                    table->source(), layer));
      }
    }
    if (!(*std::max_element(values.begin(), values.end()) > 0)) {
      throw Error(ErrorKind::kConfig,
                  table->source() + ": all are 0; expected one preference above it");
    }
    return values;
  }

  HeadMap map_;
};

}  // namespace

/// The published code measures preferences on the prompt, entropy^(1/tau1) * variance^(1/tau2) of
/// the window's attention (cake_scores.h), during the very prefill that it then evicts from; here
/// the plan is fixed before the run, so they are measured once for a model. Equal ones give every
/// layer the budget.
std::unique_ptr<Allocate> make_allocate_layer_preference(Options& options) {
  return std::make_unique<LayerPreference>(HeadMap::from_options(
      options,
      {.table = "preferences",
       .none = "uniform",
       .columns = HeadMap::Columns::kOne,
       .help = "one number per layer; `kvscope attention preferences FILE` measures them"}));
}

}  // namespace kvscope
