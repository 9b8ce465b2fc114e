#include <algorithm>

#include "policies/part.h"

namespace kvscope {
namespace {

/// The newest tokens of [history | current step].
class ProtectRecent : public Protect {
 public:
  explicit ProtectRecent(int64_t recent_tokens) : recent_tokens_(recent_tokens) {}

  void mark(const TokenView& view, std::span<uint8_t> is_protected) const override {
    const int64_t tokens = std::min(recent_tokens_, view.available());
    std::fill_n(is_protected.end() - tokens, tokens, uint8_t{1});
  }

  [[nodiscard]] int64_t most_tokens(const CacheGeometry& /*geometry*/,
                                    const StepInfo& step,
                                    int64_t /*window_tokens*/) const override {
    return std::min(recent_tokens_, step.first_token + step.queries());
  }

 private:
  int64_t recent_tokens_;
};

}  // namespace

/// recent_tokens (16): how many.
std::unique_ptr<Protect> make_protect_recent(PartOptions& options) {
  return std::make_unique<ProtectRecent>(options.integer("recent_tokens", 16, 0));
}

}  // namespace kvscope
