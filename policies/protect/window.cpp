#include "policies/part.h"

namespace kvscope {
namespace {

/// The tokens that the score looks from, whichever they are (SnapKV, ScaleKV).
class ProtectWindow : public Protect {
 public:
  void mark(const TokenView& view, std::span<uint8_t> is_protected) const override {
    for (const int64_t token : view.window) {
      is_protected[view.history.size() + static_cast<std::size_t>(token)] = 1;
    }
  }

  [[nodiscard]] int64_t most_tokens(const std::vector<StepInfo>& /*steps*/,
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
