#include "policies/component.h"
#include "policies/shares/uncut_layer_tokens.h"

namespace kvscope {
namespace {

/// The first layers keep everything, the others share the rest of the budget.
class AllocateUncutLayers : public Allocate {
 public:
  explicit AllocateUncutLayers(int64_t layers) : layers_(layers) {}

  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    const auto& geometry = request.geometry;
    return LayerHeadTokens::of_layers(
        uncut_layer_tokens(geometry.layers, layers_, request.budget_tokens,
                           full_cache_tokens(geometry.steps)),
        geometry.heads);
  }

 private:
  int64_t layers_;
};

}  // namespace

std::unique_ptr<Allocate> make_allocate_uncut_layers(Options& options) {
  return std::make_unique<AllocateUncutLayers>(
      options.integer({.key = "layers",
                       .default_value = 2,
                       .min = 0,
                       .unit = "layers",
                       .help = "how many of the first layers nothing is evicted from, as "
                               "KVCache-Factory does for key norms"}));
}

}  // namespace kvscope
