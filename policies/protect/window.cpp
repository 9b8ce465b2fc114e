#include "policies/part.h"

namespace kvscope {
namespace {

/// The tokens that the score looks from, whichever they are (SnapKV, ScaleKV).
class ProtectWindow : public Protect {
 public:
  void mark(const TokenView& view, std::span<uint8_t> is_protected) const override {
    if (view.window.empty()) return;
    // Both ascend: a walk from the newest token back meets every token of the window.
    auto wanted = view.window.rbegin();
    for (int64_t token = view.available() - 1; token >= 0 && wanted != view.window.rend();
         --token) {
      const int64_t position = view.padded_position(token);
      while (wanted != view.window.rend() && *wanted > position) ++wanted;
      if (wanted != view.window.rend() && *wanted == position) is_protected[token] = 1;
    }
  }

  [[nodiscard]] int64_t most_tokens(const CacheGeometry& /*geometry*/,
                                    const StepInfo& /*step*/,
                                    int64_t window_tokens) const override {
    return window_tokens;
  }
};

}  // namespace

std::unique_ptr<Protect> make_protect_window(PartOptions& /*options*/) {
  return std::make_unique<ProtectWindow>();
}

}  // namespace kvscope
