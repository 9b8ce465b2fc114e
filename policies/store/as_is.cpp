#include "policies/component.h"

namespace kvscope {
namespace {

/// K and V stay in the types the model computes in.
class StoreAsIs : public Store {
 public:
  [[nodiscard]] CacheGeometry format(CacheGeometry geometry) const override { return geometry; }
};

}  // namespace

std::unique_ptr<Store> make_store_as_is(Options& /*options*/) {
  return std::make_unique<StoreAsIs>();
}

}  // namespace kvscope
