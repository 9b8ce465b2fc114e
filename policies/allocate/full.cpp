#include "policies/component.h"

namespace kvscope {
namespace {

/// Keeps everything; the budget does not matter.
class AllocateFull : public Allocate {
 public:
  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    return request.available;
  }
};

}  // namespace

std::unique_ptr<Allocate> make_allocate_full(Options& /*options*/) {
  return std::make_unique<AllocateFull>();
}

}  // namespace kvscope
