#include <algorithm>

#include "policies/component.h"

namespace kvscope {
namespace {

/// Next-token models: after the prefill and after every `lines` finished lines of the image, the
/// buffer of SSD (arXiv:2510.18716: every 24 steps of a 24 x 24 image) and the rhythm of LineAR
/// (arXiv:2512.04857). Next-scale models write many lines at once: after every scale.
class EachLine : public Schedule {
 public:
  explicit EachLine(int64_t lines) : lines_(lines) {}

  [[nodiscard]] bool runs_after(const CacheGeometry& geometry,
                                const StepInfo& step) const override {
    if (step.kind != StepKind::kToken) return true;
    const int64_t finished = step.first_token + 1 - condition_tokens(geometry.steps);
    return finished % (lines_ * std::max<int64_t>(geometry.line_tokens, 1)) == 0;
  }

 private:
  int64_t lines_;
};

}  // namespace

/// Where the geometry does not say how long a line is, a token counts as one.
std::unique_ptr<Schedule> make_schedule_each_line(Options& options) {
  return std::make_unique<EachLine>(options.integer({.key = "lines",
                                                     .default_value = 1,
                                                     .min = 1,
                                                     .unit = "lines",
                                                     .help = "lines between two evictions"}));
}

}  // namespace kvscope
