#include "policies/component.h"

namespace kvscope {
namespace {

class ProtectNone : public Protect {
 public:
  void mark(const TokenView& /*view*/, std::span<uint8_t> /*is_protected*/) const override {}
  [[nodiscard]] bool order_free() const override { return true; }

  [[nodiscard]] int64_t max_tokens(const CacheGeometry& /*geometry*/,
                                   const StepInfo& /*step*/,
                                   int64_t /*window_tokens*/) const override {
    return 0;
  }
};

}  // namespace

std::unique_ptr<Protect> make_protect_none(Options& /*options*/) {
  return std::make_unique<ProtectNone>();
}

}  // namespace kvscope
