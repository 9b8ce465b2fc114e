#include "policies/allocate/uncut_layers.h"

#include <algorithm>

#include "policies/allocate/even_shares.h"
#include "policies/part.h"

namespace kvscope {
namespace {

/// The first layers keep everything, the others share the rest of the budget.
class AllocateUncutLayers : public Allocate {
 public:
  explicit AllocateUncutLayers(int64_t layers) : layers_(layers) {}

  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    const auto& geometry = request.geometry;
    LayerHeadTokens counts;
    for (const int64_t tokens : uncut_layer_tokens(geometry.layers, layers_, request.budget_tokens,
                                                   full_cache_tokens(geometry.steps))) {
      counts.emplace_back(static_cast<std::size_t>(geometry.heads), tokens);
    }
    return counts;
  }

 private:
  int64_t layers_;
};

}  // namespace

std::vector<int64_t> uncut_layer_tokens(int64_t layers,
                                        int64_t uncut,
                                        int64_t budget,
                                        int64_t full) {
  const int64_t whole = budget >= full ? layers : std::clamp<int64_t>(uncut, 0, layers);
  std::vector<int64_t> tokens(static_cast<std::size_t>(whole), full);
  const auto rest = even_shares(budget * layers - full * whole, layers - whole, 1);
  tokens.insert(tokens.end(), rest.begin(), rest.end());
  return tokens;
}

std::unique_ptr<Allocate> make_allocate_uncut_layers(Options& options) {
  return std::make_unique<AllocateUncutLayers>(options.integer(
      {.key = "layers",
       .default_value = 2,
       .least = 0,
       .unit = "layers",
       .help =
           "how many of the first layers are never cut, as KVCache-Factory does for key norms"}));
}

}  // namespace kvscope
