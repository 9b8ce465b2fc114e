#include <algorithm>

#include "policies/component.h"

namespace kvscope {
namespace {

/// The last lines of the image, the one that is being made included (LineAR, arXiv:2512.04857).
/// Where the geometry does not say how long a line is, a token counts as one. In a next-scale model
/// the last lines of the current scale.
class ProtectRecentLines : public Protect {
 public:
  explicit ProtectRecentLines(int64_t lines) : lines_(lines) {}

  void mark(const TokenView& view, std::span<uint8_t> is_protected) const override {
    const int64_t first = first_position(view.geometry, view.step);
    for (int64_t token = 0; token < view.available(); ++token) {
      if (view.padded_position(token) >= first) is_protected[token] = 1;
    }
  }

  [[nodiscard]] bool order_free() const override { return true; }

  [[nodiscard]] int64_t max_tokens(const CacheGeometry& geometry,
                                   const StepInfo& step,
                                   int64_t /*window_tokens*/) const override {
    return step.first_token + step.queries() - first_position(geometry, step);
  }

 private:
  /// Where the first of the last lines begins, as a position in the generation.
  [[nodiscard]] int64_t first_position(const CacheGeometry& geometry, const StepInfo& step) const {
    const int64_t end = step.first_token + step.queries();
    if (step.kind == StepKind::kPrefill) return end;
    if (step.kind == StepKind::kScale) {
      return end - std::min(lines_, step.grid_height) * step.grid_width;
    }
    const int64_t line_tokens = std::max<int64_t>(geometry.line_tokens, 1);
    const int64_t begin = condition_tokens(geometry.steps);
    const int64_t line = (end - 1 - begin) / line_tokens;
    return begin + std::max<int64_t>(line + 1 - lines_, 0) * line_tokens;
  }

  int64_t lines_;
};

}  // namespace

std::unique_ptr<Protect> make_protect_recent_lines(Options& options) {
  return std::make_unique<ProtectRecentLines>(options.integer({.key = "lines",
                                                               .default_value = 2,
                                                               .min = 0,
                                                               .unit = "lines",
                                                               .help = "last lines that stay"}));
}

}  // namespace kvscope
