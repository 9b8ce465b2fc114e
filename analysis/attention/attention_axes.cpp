#include "analysis/attention/attention_axes.h"

#include <algorithm>
#include <utility>

namespace kvscope {

ArrayAxis layer_axis(int64_t layers) {
  return ArrayAxis::counted("layer", layers);
}

ArrayAxis head_axis(int64_t heads) {
  return ArrayAxis::counted("head", heads);
}

ArrayAxis step_axis(const std::vector<StepInfo>& steps) {
  return ArrayAxis::counted("step", std::ssize(steps));
}

ArrayAxis on_step_axis(const std::vector<StepInfo>& steps) {
  return ArrayAxis::counted("on_step", std::ssize(steps));
}

std::vector<ArrayAxis> head_step_axes(const CacheGeometry& geometry) {
  return {layer_axis(geometry.layers), head_axis(geometry.heads), step_axis(geometry.steps)};
}

ArrayAxis step_key_axis(const std::vector<StepInfo>& steps) {
  Coordinate step{.name = "step"};
  Coordinate key{.name = "key"};
  for (int64_t index = 0; index < std::ssize(steps); ++index) {
    for (int64_t position = 0; position < keys_of_step(steps, index); ++position) {
      step.values.push_back(index);
      key.values.push_back(position);
    }
  }
  return {.name = "step_key", .coordinates = {std::move(step), std::move(key)}};
}

ArrayAxis sampled_query_axis(const std::vector<StepInfo>& steps, int64_t wanted) {
  Coordinate step{.name = "step"};
  Coordinate query{.name = "query"};
  for (int64_t index = 0; index <= last_attending_step(steps); ++index) {
    for (const int64_t taken : evenly_spaced(steps[index].queries(), wanted)) {
      step.values.push_back(index);
      query.values.push_back(taken);
    }
  }
  return {.name = "sampled_query", .coordinates = {std::move(step), std::move(query)}};
}

int64_t keys_of_step(const std::vector<StepInfo>& steps, int64_t step) {
  return steps[step].first_token + steps[step].queries();
}

std::vector<int64_t> step_key_begins(const std::vector<StepInfo>& steps) {
  std::vector<int64_t> begins;
  int64_t begin = 0;
  for (int64_t step = 0; step < std::ssize(steps); ++step) {
    begins.push_back(begin);
    begin += keys_of_step(steps, step);
  }
  return begins;
}

int64_t all_tokens(const std::vector<StepInfo>& steps) {
  return steps.empty() ? 0 : keys_of_step(steps, std::ssize(steps) - 1);
}

std::vector<int64_t> evenly_spaced(int64_t count, int64_t wanted) {
  const int64_t taken = wanted == 0 ? count : std::min(wanted, count);
  std::vector<int64_t> indices(static_cast<size_t>(taken));
  for (int64_t i = 0; i < taken; ++i) indices[i] = (2 * i + 1) * count / (2 * taken);
  return indices;
}

}  // namespace kvscope
