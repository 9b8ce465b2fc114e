#include "analysis/attention/image_offsets.h"

#include <algorithm>

#include "analysis/attention/attention_axes.h"
#include "policies/slots.h"

namespace kvscope {

ImageOffsets ImageOffsets::of(const std::vector<StepInfo>& steps, int64_t line_tokens) {
  ImageOffsets offsets{.condition_tokens = kvscope::condition_tokens(steps),
                       .tokens = all_tokens(steps)};
  const int64_t image = offsets.tokens - offsets.condition_tokens;
  offsets.line_tokens = line_tokens > 0 ? line_tokens : image;
  offsets.lines = (image + offsets.line_tokens - 1) / offsets.line_tokens;
  const int64_t last = last_attending_step(steps);
  offsets.queries = std::ranges::count_if(steps, [last](const StepInfo& step) {
    return step.kind == StepKind::kToken && step.index <= last;
  });
  return offsets;
}

ArrayAxis ImageOffsets::lines_above_axis() const {
  return ArrayAxis::counted("lines_above", lines);
}

ArrayAxis ImageOffsets::columns_beside_axis() const {
  return ArrayAxis::counted("columns_beside", 2 * line_tokens - 1, 1 - line_tokens);
}

ArrayAxis ImageOffsets::tokens_back_axis() const {
  return ArrayAxis::counted("tokens_back", tokens);
}

}  // namespace kvscope
