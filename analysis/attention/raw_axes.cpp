#include "analysis/attention/raw_axes.h"

#include "analysis/attention/attention_axes.h"

namespace kvscope {
namespace {

ArrayAxis axis_of_pairs(const char* name,
                        const char* first,
                        const char* second,
                        const std::vector<std::pair<int64_t, int64_t>>& pairs) {
  ArrayAxis axis{.name = name, .coordinates = {{.name = first}, {.name = second}}};
  for (const auto& [outer, inner] : pairs) {
    axis.coordinates[0].values.push_back(outer);
    axis.coordinates[1].values.push_back(inner);
  }
  return axis;
}

}  // namespace

ArrayAxis raw_head_axis(const std::vector<std::pair<int64_t, int64_t>>& heads) {
  return axis_of_pairs("raw_head", "layer", "head", heads);
}

ArrayAxis raw_query_axis(const std::vector<std::pair<int64_t, int64_t>>& step_queries) {
  return axis_of_pairs("raw_query", "step", "query", step_queries);
}

ArrayAxis key_axis(const std::vector<StepInfo>& steps) {
  return ArrayAxis::counted("key", all_tokens(steps));
}

}  // namespace kvscope
