#include "policies/part.h"

namespace kvscope {
namespace {

/// The budget C in every layer and head.
class AllocateUniform : public Allocate {
 public:
  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    const auto& geometry = request.geometry;
    return LayerHeadTokens(
        static_cast<std::size_t>(geometry.layers),
        std::vector<int64_t>(static_cast<std::size_t>(geometry.heads), request.budget_tokens));
  }
};

}  // namespace

std::unique_ptr<Allocate> make_allocate_uniform(PartOptions& /*options*/) {
  return std::make_unique<AllocateUniform>();
}

}  // namespace kvscope
