#include <algorithm>
#include <cmath>

#include "policies/allocate/head_map.h"
#include "policies/allocate/two_kinds.h"
#include "policies/part.h"

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

/// heads (auto), maps (none): the profile, see HeadMap; `kvscope attention heads` measures one. A
/// model without a profile has semantic heads only. threshold (0.2): tau, 0 .. 1; a head below it
/// is spatial. The paper gives no number: 0.2 reproduces the mean budgets of its plots for both
/// models, with 46 % and 62 % semantic heads. spatial_tokens (64): W, likewise from the plots; more
/// protected tokens replace it. spatial_share (1), 0 .. 1: share of the budget that W is at most,
/// so that small budgets still tell the kinds apart.
std::unique_ptr<Allocate> make_allocate_head_type(PartOptions& options) {
  auto map = HeadMap::from_options(options, {});
  const double threshold = options.number("threshold", 0.2, 0.0, 1.0);
  const int64_t spatial = options.integer("spatial_tokens", 64, 1);
  const double share = options.number("spatial_share", 1.0, 0.0, 1.0);
  return std::make_unique<AllocateHeadType>(std::move(map), threshold, spatial, share);
}

}  // namespace kvscope
