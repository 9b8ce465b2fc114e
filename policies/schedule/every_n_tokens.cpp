#include "policies/component.h"

namespace kvscope {
namespace {

/// After the prefill and then once for every `interval` tokens: what makes a method that was
/// written for long prompts work during generation. A scale that reaches several multiples evicts
/// once, one that reaches none is not.
class EveryNTokens : public Schedule {
 public:
  EveryNTokens(int64_t interval, bool whole_sequence)
      : interval_(interval), whole_sequence_(whole_sequence) {}

  [[nodiscard]] bool runs_after(const CacheGeometry& geometry,
                                const StepInfo& step) const override {
    if (step.kind == StepKind::kPrefill) return true;
    // In the image tokens count from 1, so that `interval` of them are stored at the first
    // eviction; positions in the sequence count from 0.
    const int64_t first = whole_sequence_ ? step.first_token
                                          : step.first_token + 1 - condition_tokens(geometry.steps);
    const int64_t last = first + step.queries() - 1;
    return last / interval_ * interval_ >= first;
  }

 private:
  int64_t interval_;
  bool whole_sequence_;
};

}  // namespace

std::unique_ptr<Schedule> make_schedule_every_n_tokens(Options& options) {
  const int64_t interval = options.integer(
      {.key = "interval",
       .default_value = 24,
       .min = 1,
       .unit = "tokens",
       .help = "tokens between two evictions; 24 is a line of Janus-Pro, R-KV takes 128"});
  const bool sequence =
      options.word({.key = "count",
                    .default_value = "image",
                    .allowed = {"image", "sequence"},
                    .help = "image: evict when that many tokens of the image are stored; sequence, "
                            "as R-KV's code: after the token whose position, condition tokens "
                            "counted, is a multiple of the interval"}) == "sequence";
  return std::make_unique<EveryNTokens>(interval, sequence);
}

}  // namespace kvscope
