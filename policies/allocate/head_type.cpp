#include <algorithm>
#include <cmath>

#include "policies/component.h"
#include "policies/profiles/head_map.h"
#include "policies/shares/two_kinds.h"

namespace kvscope {
namespace {

/// SSD's budgets (arXiv:2510.18716): heads of kind 1 are spatial and keep W tokens, those of kind 0
/// semantic and keep what the budget leaves,
///   M + recent = (C - f W) / (1 - f),   f the share of spatial heads,
/// so that the mean over all heads is C. A head is semantic where the share of its attention
/// outside its neighbourhood, which a table gives for every head, is at least tau.
class AllocateHeadType : public Allocate {
 public:
  AllocateHeadType(HeadMap map, double threshold, int64_t spatial_tokens, double spatial_share)
      : map_(std::move(map)),
        threshold_(threshold),
        spatial_tokens_(spatial_tokens),
        spatial_share_(spatial_share) {}

  [[nodiscard]] HeadKinds head_kinds() const override { return HeadKinds::kSemanticSpatial; }

  [[nodiscard]] HeadTypes head_types(const CacheGeometry& geometry) const override {
    const HeadTable* table = map_.of(geometry);
    if (table != nullptr) return heads_below(*table, geometry, threshold_);
    return HeadTypes(static_cast<std::size_t>(geometry.layers),
                     std::vector<uint8_t>(static_cast<std::size_t>(geometry.heads), 0));
  }

  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    const auto most = static_cast<int64_t>(
        std::floor(spatial_share_ * static_cast<double>(request.budget_tokens)));
    return share_among_kinds(
        head_types(request.geometry), request.budget_tokens,
        std::max({std::min(spatial_tokens_, most), request.protected_tokens, int64_t{1}}),
        full_cache_tokens(request.geometry.steps));
  }

 private:
  HeadMap map_;
  double threshold_;
  int64_t spatial_tokens_;
  double spatial_share_;
};

}  // namespace

/// A model without a table has semantic heads only. threshold and spatial_tokens are from the plots
/// of the paper, which gives no numbers: they reproduce the mean budgets of both models, with 46 %
/// and 62 % semantic heads.
std::unique_ptr<Allocate> make_allocate_head_type(Options& options) {
  auto map = HeadMap::from_options(
      options, {.help = "how much every head looks outside its neighbourhood; `kvscope attention "
                        "heads` measures it. none: all semantic"});
  const double threshold = options.number({.key = "threshold",
                                           .default_value = 0.2,
                                           .min = 0,
                                           .max = 1,
                                           .help = "tau: a head below it is spatial"});
  const int64_t spatial = options.integer(
      {.key = "spatial_tokens",
       .default_value = 64,
       .min = 1,
       .unit = "tokens",
       .help = "W, the newest tokens of a spatial head; more protected tokens replace it"});
  const double share =
      options.number({.key = "spatial_share",
                      .default_value = 1.0,
                      .min = 0,
                      .max = 1,
                      .help = "share of the budget that W is at most, so that small budgets still "
                              "tell the kinds apart; 1: spatial heads may hold it all"});
  return std::make_unique<AllocateHeadType>(std::move(map), threshold, spatial, share);
}

}  // namespace kvscope
