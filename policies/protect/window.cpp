#include <algorithm>
#include <iterator>

#include "policies/component.h"

namespace kvscope {
namespace {

/// The tokens that the score looks from, whichever they are (SnapKV, ScaleKV).
class ProtectWindow : public Protect {
 public:
  void mark(const TokenView& view, std::span<uint8_t> is_protected) const override {
    if (view.window.empty()) return;
    const int64_t first = view.window.front();
    const int64_t last = view.window.back();
    const bool whole = last - first + 1 == std::ssize(view.window);
    for (int64_t token = 0; token < view.available(); ++token) {
      const int64_t position = view.padded_position(token);
      if (position < first || position > last) continue;
      if (whole || std::ranges::binary_search(view.window, position)) is_protected[token] = 1;
    }
  }

  [[nodiscard]] bool order_free() const override { return true; }

  [[nodiscard]] int64_t max_tokens(const CacheGeometry& /*geometry*/,
                                   const StepInfo& /*step*/,
                                   int64_t window_tokens) const override {
    return window_tokens;
  }
};

}  // namespace

std::unique_ptr<Protect> make_protect_window(Options& /*options*/) {
  return std::make_unique<ProtectWindow>();
}

}  // namespace kvscope
