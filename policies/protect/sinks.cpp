#include <algorithm>

#include "policies/part.h"

namespace kvscope {
namespace {

/// The first tokens of the generation, the attention sinks of StreamingLLM (arXiv:2309.17453). In a
/// next-scale model these are the coarsest scales. Keys keep their rotation.
class ProtectSinks : public Protect {
 public:
  explicit ProtectSinks(int64_t sink_tokens) : sink_tokens_(sink_tokens) {}

  void mark(const TokenView& view, std::span<uint8_t> is_protected) const override {
    for (int64_t token = 0; token < view.available(); ++token) {
      if (view.position(token) >= sink_tokens_) {
        break;  // positions ascend
      }
      is_protected[token] = 1;
    }
  }

  [[nodiscard]] int64_t most_tokens(const CacheGeometry& /*geometry*/,
                                    const StepInfo& step,
                                    int64_t /*window_tokens*/) const override {
    return std::min(sink_tokens_, step.first_token + step.queries());
  }

 private:
  int64_t sink_tokens_;
};

}  // namespace

/// sink_tokens (4): how many.
std::unique_ptr<Protect> make_protect_sinks(PartOptions& options) {
  return std::make_unique<ProtectSinks>(options.integer("sink_tokens", 4, 0));
}

}  // namespace kvscope
