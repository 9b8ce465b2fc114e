#include <algorithm>
#include <optional>

#include "policies/component.h"

namespace kvscope {
namespace {

/// The first tokens of the generation, the attention sinks of StreamingLLM (arXiv:2309.17453). In a
/// next-scale model these are the coarsest scales.
class ProtectSinks : public Protect {
 public:
  /// No number: all condition tokens.
  explicit ProtectSinks(std::optional<int64_t> sink_tokens) : sink_tokens_(sink_tokens) {}

  void mark(const TokenView& view, std::span<uint8_t> is_protected) const override {
    const int64_t sinks =
        sink_tokens_.value_or(condition_tokens(view.geometry.steps) - view.padding);
    for (int64_t token = 0; token < view.available(); ++token) {
      if (view.position(token) < sinks) is_protected[token] = 1;
    }
  }

  [[nodiscard]] bool order_free() const override { return true; }

  [[nodiscard]] int64_t max_tokens(const CacheGeometry& geometry,
                                   const StepInfo& step,
                                   int64_t /*window_tokens*/) const override {
    return std::min(sink_tokens_.value_or(condition_tokens(geometry.steps)),
                    step.first_token + step.queries());
  }

 private:
  std::optional<int64_t> sink_tokens_;
};

}  // namespace

std::unique_ptr<Protect> make_protect_sinks(Options& options) {
  return std::make_unique<ProtectSinks>(
      options.integer_or_word({.key = "sink_tokens",
                               .default_value = 4,
                               .min = 0,
                               .unit = "tokens",
                               .help = "first tokens that stay; text: all condition tokens of a "
                                       "next-token model, none of a next-scale one"},
                              "text"));
}

}  // namespace kvscope
