#include "policies/component.h"

namespace kvscope {
namespace {

/// The condition tokens of a next-token model. A next-scale model has none in its cache.
class ProtectText : public Protect {
 public:
  void mark(const TokenView& view, std::span<uint8_t> is_protected) const override {
    for (int64_t token = 0; token < view.available(); ++token) {
      if (view.writer(token).kind == StepKind::kPrefill) {
        is_protected[token] = 1;
      }
    }
  }

  [[nodiscard]] bool order_free() const override { return true; }

  [[nodiscard]] int64_t max_tokens(const CacheGeometry& geometry,
                                   const StepInfo& /*step*/,
                                   int64_t /*window_tokens*/) const override {
    return condition_tokens(geometry.steps);  // the prefill is the first step
  }
};

}  // namespace

std::unique_ptr<Protect> make_protect_text(Options& /*options*/) {
  return std::make_unique<ProtectText>();
}

}  // namespace kvscope
