#include "policies/component.h"

namespace kvscope {
namespace {

/// K and V in one byte a number, every token of every head by itself: affine,
///   x' = code * scale + min, code 0 .. 255, scale = (max - min) / 255 over the token's channels,
/// with scale and minimum in fp32, as bf16's 8 bits would spoil the codes': head_dim + 8 bytes a
/// token for K and as many for V, where 4 divides head_dim (codes fill whole 32-bit words). A token
/// is packed once, as it is stored, and never again.
class StoreInt8 : public Store {
 public:
  [[nodiscard]] CacheGeometry format(CacheGeometry geometry) const override {
    const SideFormat side{.bits = 8,
                          .axis = GroupAxis::kChannels,
                          .group = geometry.head_dim,
                          .residual_tokens = 0,
                          .scale_type = at::kFloat};
    geometry.format = {.keys = side, .values = side};
    return geometry;
  }
};

}  // namespace

std::unique_ptr<Store> make_store_int8(Options& /*options*/) {
  return std::make_unique<StoreInt8>();
}

}  // namespace kvscope
