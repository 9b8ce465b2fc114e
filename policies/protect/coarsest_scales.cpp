#include "policies/component.h"

namespace kvscope {
namespace {

/// The tokens of the first steps: the coarsest scales, which carry the layout of the image
/// (AMS-KV's condensed scales, arXiv:2511.16047), or the condition tokens of a next-token model,
/// which are its first step.
class ProtectCoarsestScales : public Protect {
 public:
  explicit ProtectCoarsestScales(int64_t scales) : scales_(scales) {}

  void mark(const TokenView& view, std::span<uint8_t> is_protected) const override {
    for (int64_t token = 0; token < view.available(); ++token) {
      if (counts(view.writer(token))) is_protected[token] = 1;
    }
  }

  [[nodiscard]] bool order_free() const override { return true; }

  [[nodiscard]] int64_t max_tokens(const CacheGeometry& geometry,
                                   const StepInfo& step,
                                   int64_t /*window_tokens*/) const override {
    int64_t tokens = 0;
    for (const StepInfo& earlier : geometry.steps) {
      if (earlier.index <= step.index && counts(earlier)) tokens += earlier.queries();
    }
    return tokens;
  }

 private:
  [[nodiscard]] bool counts(const StepInfo& step) const {
    return step.kind == StepKind::kPrefill ||
           (step.kind == StepKind::kScale && step.index < scales_);
  }

  int64_t scales_;
};

}  // namespace

std::unique_ptr<Protect> make_protect_coarsest_scales(Options& options) {
  return std::make_unique<ProtectCoarsestScales>(
      options.integer({.key = "scales",
                       .default_value = 2,
                       .min = 0,
                       .unit = "scales",
                       .help = "coarsest scales that stay"}));
}

}  // namespace kvscope
