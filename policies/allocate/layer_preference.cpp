#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "policies/allocate/head_roles.h"
#include "policies/allocate/layer_budgets.h"
#include "policies/part.h"

namespace kvscope {
namespace {

/// CAKE's layer budgets (arXiv:2503.12491): beside what is protected, each layer holds
/// a part of the model's tokens in proportion to its preference,
///   C_l = protected + pref_l / sum(pref) * (C - protected) * layers,
/// truncated, clipped at what a layer can hold and redistributed (layer_budgets.h), so that the
/// layers hold C on average, exactly.
class LayerPreference : public Allocate {
 public:
  explicit LayerPreference(std::optional<HeadTable> preferences)
      : preferences_(std::move(preferences)) {}

  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    const int64_t layers = request.geometry.layers;
    const int64_t window = std::min(request.protected_tokens, request.budget_tokens);
    const int64_t limit = request.step.first_token + request.step.queries() - window;
    const int64_t total = (request.budget_tokens - window) * layers;
    const std::vector<double> preferences = preferences_of(request.geometry);
    const int64_t least = window > 0 ? 0 : 1;  // no layer is left without a token
    const std::vector<int64_t> budgets =
        fitted_budgets(preferred_budgets(preferences, total, limit),
                       std::min(total, limit * layers), least, limit);
    LayerHeadTokens tokens;
    for (const int64_t budget : budgets) {
      tokens.emplace_back(static_cast<size_t>(request.geometry.heads), window + budget);
    }
    return tokens;
  }

 private:
  [[nodiscard]] std::vector<double> preferences_of(const CacheGeometry& geometry) const {
    if (!preferences_) return std::vector<double>(static_cast<size_t>(geometry.layers), 1.0);
    if (preferences_->layers() != geometry.layers) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: preferences of {} layers; the model has {}",
                              preferences_->source(), preferences_->layers(), geometry.layers));
    }
    std::vector<double> values;
    for (int64_t layer = 0; layer < geometry.layers; ++layer) {
      values.push_back(preferences_->at(layer, 0));
    }
    return values;
  }

  std::optional<HeadTable> preferences_;
};

}  // namespace

/// preferences (uniform): uniform | a list of one number a layer | the path of a text file with one
/// number a line, as `kvscope attention preferences FILE` writes it. The published code measures
/// them on the prompt, entropy^(1/tau1) * variance^(1/tau2) of the window's attention
/// (cake_scores.h), during the very prefill that it then cuts; here the plan is fixed before the
/// run, so they are measured once for a model. Equal preferences give every layer the budget.
std::unique_ptr<Allocate> make_allocate_layer_preference(PartOptions& options) {
  std::optional<HeadTable> preferences = head_table_option(options, "preferences", "uniform");
  if (preferences) {
    double largest = 0;
    for (int64_t layer = 0; layer < preferences->layers(); ++layer) {
      const double value = preferences->at(layer, 0);
      if (preferences->heads() != 1 || value < 0) {
        throw Error(ErrorKind::kConfig,
                    fmt::format("{}: layer {}: expected one number of at least 0",
                                preferences->source(), layer));
      }
      largest = std::max(largest, value);
    }
    if (!(largest > 0)) {
      throw Error(ErrorKind::kConfig,
                  preferences->source() + ": all are 0; expected one preference above it");
    }
  }
  return std::make_unique<LayerPreference>(std::move(preferences));
}

}  // namespace kvscope
