#include <algorithm>

#include "policies/component.h"

namespace kvscope {
namespace {

/// The first tokens of the image, LineAR's anchors (arXiv:2512.04857): later lines keep looking
/// at them. In a next-scale model these are the coarsest scales.
class ProtectAnchors : public Protect {
 public:
  explicit ProtectAnchors(int64_t anchor_tokens) : anchor_tokens_(anchor_tokens) {}

  void mark(const TokenView& view, std::span<uint8_t> is_protected) const override {
    const int64_t first = condition_tokens(view.geometry.steps);
    for (int64_t token = 0; token < view.available(); ++token) {
      const int64_t position = view.padded_position(token);
      if (position >= first && position < first + anchor_tokens_) is_protected[token] = 1;
    }
  }

  [[nodiscard]] bool order_free() const override { return true; }

  [[nodiscard]] int64_t max_tokens(const CacheGeometry& geometry,
                                   const StepInfo& step,
                                   int64_t /*window_tokens*/) const override {
    const int64_t sampled = step.first_token + step.queries() - condition_tokens(geometry.steps);
    return std::clamp<int64_t>(sampled, 0, anchor_tokens_);
  }

 private:
  int64_t anchor_tokens_;
};

}  // namespace

std::unique_ptr<Protect> make_protect_anchors(Options& options) {
  return std::make_unique<ProtectAnchors>(
      options.integer({.key = "anchor_tokens",
                       .default_value = 4,
                       .min = 0,
                       .unit = "tokens",
                       .help = "first tokens of the image that stay"}));
}

}  // namespace kvscope
