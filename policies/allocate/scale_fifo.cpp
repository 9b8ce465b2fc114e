#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/base/error.h"
#include "policies/component.h"
#include "policies/profiles/head_roles.h"
#include "policies/shares/two_kinds.h"

namespace kvscope {
namespace {

/// AMS-KV's budgets (arXiv:2511.16047): layers whose keys change much from one scale to the next
/// (inter-scale similarity below theta) hold C_max, the others C_min; the mean is the budget C:
///   C_min = C L / (r n + L - n),   C_max = r C_min   for n such layers of L and r = C_max / C_min.
class AllocateScaleFifo : public Allocate {
 public:
  AllocateScaleFifo(std::vector<int64_t> large_layers,
                    std::optional<HeadTable> similarity,
                    double threshold,
                    double ratio)
      : large_layers_(std::move(large_layers)),
        similarity_(std::move(similarity)),
        threshold_(threshold),
        ratio_(ratio) {}

  [[nodiscard]] HeadKinds head_kinds() const override { return HeadKinds::kSteadyChanging; }

  [[nodiscard]] HeadTypes head_types(const CacheGeometry& geometry) const override {
    HeadTypes types;
    for (int64_t layer = 0; layer < geometry.layers; ++layer) {
      types.emplace_back(static_cast<std::size_t>(geometry.heads),
                         is_large(layer) ? uint8_t{0} : uint8_t{1});
    }
    return types;
  }

  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    const CacheGeometry& geometry = request.geometry;
    if (similarity_ && similarity_->profile() != nullptr) {
      check_profile(*similarity_->profile(), geometry);
    }
    if (similarity_ && similarity_->layers() < geometry.layers) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: similarities of {} layers; the model has {}",
                              similarity_->source(), similarity_->layers(), geometry.layers));
    }
    double large = 0;
    for (int64_t layer = 0; layer < geometry.layers; ++layer) large += is_large(layer) ? 1 : 0;
    const auto layers = static_cast<double>(geometry.layers);
    const double least =
        static_cast<double>(request.budget_tokens) * layers / (ratio_ * large + layers - large);
    const auto small_tokens = static_cast<int64_t>(std::floor(least + 1e-9));
    return share_among_kinds(head_types(geometry), request.budget_tokens,
                             std::max(small_tokens, request.protected_tokens),
                             full_cache_tokens(geometry.steps));
  }

 private:
  [[nodiscard]] bool is_large(int64_t layer) const {
    if (similarity_) {
      return layer < similarity_->layers() && similarity_->at(layer, 0) < threshold_;
    }
    return std::find(large_layers_.begin(), large_layers_.end(), layer) != large_layers_.end();
  }

  std::vector<int64_t> large_layers_;
  std::optional<HeadTable> similarity_;
  double threshold_;
  double ratio_;
};

std::vector<int64_t> layers_option(Options& options) {
  return options.integers(
      {.key = "large_layers",
       .default_value = std::vector<int64_t>{},
       .min = 0,
       .help = "layers, counted from 0, that hold C_max; without any, all layers hold the budget"});
}

}  // namespace

std::unique_ptr<Allocate> make_allocate_scale_fifo(Options& options) {
  auto layers = layers_option(options);
  auto similarity = head_table_option(
      options,
      {.key = "similarity",
       .otherwise = "none",
       .help =
           "instead of the list, a number for every layer, larger where neighbouring scales are "
           "more similar (the paper: minus the L2 distance of their keys after interpolation)"},
      ProfileKind::kLayers);
  const double threshold =
      options.number({.key = "threshold",
                      .default_value = 0.0,
                      .min = -1e9,
                      .max = 1e9,
                      .help = "theta: a layer of a similarity below it holds C_max"});
  const double ratio = options.number({.key = "ratio",
                                       .default_value = 2.0,
                                       .min = 1,
                                       .max = 100,
                                       .help = "C_max / C_min; the paper gives no number"});
  if (similarity) {
    options.unused("large_layers", "similarity counts instead", WrittenIn::kOverride);
  } else {
    options.unused("threshold", "it is with similarity", WrittenIn::kOverride);
  }
  return std::make_unique<AllocateScaleFifo>(std::move(layers), std::move(similarity), threshold,
                                             ratio);
}

}  // namespace kvscope
