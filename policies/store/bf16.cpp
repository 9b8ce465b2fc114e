#include "policies/component.h"

namespace kvscope {
namespace {

/// K and V in bf16, whatever the model computes in: rounded to nearest even as they are stored,
/// 2 bytes a number. The current step is attended to before it is rounded.
class StoreBf16 : public Store {
 public:
  [[nodiscard]] CacheGeometry format(CacheGeometry geometry) const override {
    geometry.key_type = at::kBFloat16;
    geometry.value_type = at::kBFloat16;
    return geometry;
  }
};

}  // namespace

std::unique_ptr<Store> make_store_bf16(Options& /*options*/) {
  return std::make_unique<StoreBf16>();
}

}  // namespace kvscope
