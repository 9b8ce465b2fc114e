#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "policies/component.h"

namespace kvscope {
namespace {

/// The newest tokens of [history | current step].
class ProtectRecent : public Protect {
 public:
  explicit ProtectRecent(int64_t recent_tokens) : recent_tokens_(recent_tokens) {}

  void mark(const TokenView& view, std::span<uint8_t> is_protected) const override {
    const int64_t tokens = std::min(recent_tokens_, view.available());
    const int64_t current = std::min(tokens, view.step.queries());
    std::fill_n(is_protected.end() - current, current, uint8_t{1});
    if (tokens == current) return;
    std::vector<int64_t> newest_first(view.history.size());
    std::iota(newest_first.begin(), newest_first.end(), 0);
    std::ranges::nth_element(newest_first, newest_first.begin() + (tokens - current - 1),
                             std::ranges::greater{},
                             [&](int64_t token) { return view.padded_position(token); });
    for (int64_t i = 0; i < tokens - current; ++i) is_protected[newest_first[i]] = 1;
  }

  [[nodiscard]] bool order_free() const override { return true; }

  [[nodiscard]] int64_t max_tokens(const CacheGeometry& /*geometry*/,
                                   const StepInfo& step,
                                   int64_t /*window_tokens*/) const override {
    return std::min(recent_tokens_, step.first_token + step.queries());
  }

 private:
  int64_t recent_tokens_;
};

}  // namespace

std::unique_ptr<Protect> make_protect_recent(Options& options) {
  return std::make_unique<ProtectRecent>(options.integer({.key = "recent_tokens",
                                                          .default_value = 16,
                                                          .min = 0,
                                                          .unit = "tokens",
                                                          .help = "newest tokens that stay"}));
}

}  // namespace kvscope
