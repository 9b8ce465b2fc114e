#include "experiments/explore/query_map_payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "analysis/attention/attention_axes.h"
#include "core/base/error.h"
#include "experiments/explore/number_bytes.h"

namespace kvscope {
namespace {

const std::vector<int64_t>& coordinate_of(const ArrayAxis& axis, const std::string& name) {
  if (const std::vector<int64_t>* values = axis.coordinate(name)) return *values;
  throw Error(ErrorKind::kInput,
              fmt::format("map.query: its axis '{}' has no coordinate '{}'", axis.name, name));
}

/// Whether `first` .. first + count - 1 lies in 0 .. size - 1.
bool lies_within(int64_t first, int64_t count, int64_t size) {
  return first >= 0 && count >= 1 && first <= size && count <= size - first;
}

}  // namespace

void QueryMapPayload::check(const AttentionRecord& record) const {
  const auto damaged = [](const std::string& what, size_t index) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("map.query: damaged: {} {} lies outside the record's steps", what, index));
  };
  const int64_t steps = std::ssize(record.steps);
  for (size_t i = 0; i < query("step").size(); ++i) {
    const int64_t step = query("step")[i];
    if (!lies_within(step, 1, steps) ||
        !lies_within(query("query")[i], 1, record.steps[static_cast<size_t>(step)].queries())) {
      damaged("query", i);
    }
  }
  for (size_t i = 0; i < cell("on_step").size(); ++i) {
    const int64_t on_step = cell("on_step")[i];
    if (!lies_within(on_step, 1, steps)) damaged("cell", i);
    const StepInfo& step = record.steps[static_cast<size_t>(on_step)];
    const bool is_raster = step.kind == StepKind::kToken;  // as many lines and columns as steps
    if (!lies_within(cell("line")[i], cell("lines")[i], is_raster ? steps : step.grid_height) ||
        !lies_within(cell("column")[i], cell("columns")[i], is_raster ? steps : step.grid_width)) {
      damaged("cell", i);
    }
  }
}

QueryMapPayload::QueryMapPayload(const AttentionRecord& record) : map_(record.array("map.query")) {
  check(record);
  const std::vector<int64_t>& first_steps = cell("on_step");
  if (!std::ranges::is_sorted(first_steps)) {
    throw Error(ErrorKind::kInput, "map.query: its keys are not in the order of their steps");
  }
  for (const int64_t step : query("step")) {
    row_lengths_.push_back(std::ranges::upper_bound(first_steps, step) - first_steps.begin());
  }
}

const std::vector<int64_t>& QueryMapPayload::query(const std::string& coordinate) const {
  return coordinate_of(map_.axes[2], coordinate);
}

const std::vector<int64_t>& QueryMapPayload::cell(const std::string& coordinate) const {
  return coordinate_of(map_.axes[3], coordinate);
}

int64_t QueryMapPayload::block_bytes() const {
  return 2 * std::accumulate(row_lengths_.begin(), row_lengths_.end(), int64_t{0});
}

std::string QueryMapPayload::block(int64_t layer, int64_t head) const {
  std::vector<double> seen;
  for (size_t row = 0; row < row_lengths_.size(); ++row) {
    const auto begin =
        map_.values.begin() + static_cast<std::ptrdiff_t>(map_.index(layer, head, row, 0));
    seen.insert(seen.end(), begin, begin + row_lengths_[row]);
  }
  return half_bytes(seen);
}

std::vector<int64_t> QueryMapPayload::fitting_layers(int64_t most_bytes) const {
  const int64_t layers = map_.axes[0].size();
  const int64_t layer_bytes = map_.axes[1].size() * block_bytes() * 4 / 3 + 1;
  return evenly_spaced(layers, std::clamp<int64_t>(most_bytes / layer_bytes, 1, layers));
}

}  // namespace kvscope
