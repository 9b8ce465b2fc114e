#include "analysis/attention/array_selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace kvscope {
namespace {

/// Whether what stands at `index` along the axis is recorded.
bool stays(const ArrayAxis& axis, size_t index, const RecordedPart& part) {
  const auto is_in = [&](const char* name, const IndexRanges& chosen) {
    const std::vector<int64_t>* values = axis.coordinate(name);
    return values == nullptr || chosen.contains((*values)[index]);
  };
  if (!is_in("layer", part.layers) || !is_in("head", part.heads)) return false;
  if (!is_in("step", part.steps)) return false;
  const std::vector<int64_t>* first = axis.coordinate("first_step");
  const std::vector<int64_t>* last = axis.coordinate("last_step");
  if (first == nullptr || last == nullptr) return true;
  bool all = true;
  for (int64_t step = (*first)[index]; step <= (*last)[index]; ++step) {
    all = all && part.steps.contains(step);
  }
  return all;
}

void check_ranges(const IndexRanges& ranges, int64_t count, const char* what) {
  if (ranges.largest() < count) return;
  throw Error(ErrorKind::kConfig, fmt::format("record.{}: {}: the model has {} 0..{}", what,
                                              ranges.text(), what, count - 1));
}

}  // namespace

void check_part(const RecordedPart& part, const CacheGeometry& geometry) {
  check_ranges(part.layers, geometry.layers, "layers");
  check_ranges(part.heads, geometry.heads, "heads");
  check_ranges(part.steps, std::ssize(geometry.steps), "steps");
}

ArraySelection::ArraySelection(const std::vector<ArrayAxis>& axes, const RecordedPart& part) {
  std::vector<std::vector<size_t>> kept_of_axes;
  for (const ArrayAxis& axis : axes) {
    std::vector<size_t>& kept = kept_of_axes.emplace_back();
    for (size_t index = 0; index < static_cast<size_t>(axis.size()); ++index) {
      if (stays(axis, index, part)) kept.push_back(index);
    }
    is_whole_ = is_whole_ && std::ssize(kept) == axis.size();
    ArrayAxis& left = axes_.emplace_back(ArrayAxis{.name = axis.name});
    for (const Coordinate& coordinate : axis.coordinates) {
      Coordinate& values = left.coordinates.emplace_back(Coordinate{.name = coordinate.name});
      for (const size_t index : kept) values.values.push_back(coordinate.values[index]);
    }
    numbers_ *= std::ssize(kept);
  }
  if (is_whole_ || numbers_ == 0) return;
  places_ = {0};
  for (size_t axis = 0; axis < axes.size(); ++axis) {
    std::vector<size_t> places;
    places.reserve(places_.size() * kept_of_axes[axis].size());
    for (const size_t outer : places_) {
      for (const size_t index : kept_of_axes[axis]) {
        places.push_back(outer * static_cast<size_t>(axes[axis].size()) + index);
      }
    }
    places_ = std::move(places);
  }
}

std::vector<double> ArraySelection::of(std::span<const double> values) const {
  if (is_whole_) return {values.begin(), values.end()};
  std::vector<double> kept;
  kept.reserve(places_.size());
  for (const size_t place : places_) kept.push_back(values[place]);
  return kept;
}

std::vector<double> ArraySelection::of(std::vector<double>&& values) const {
  return is_whole_ ? std::move(values) : of(std::span<const double>(values));
}

bool has_steps(const std::vector<ArrayAxis>& axes) {
  return std::ranges::any_of(
      axes, [](const ArrayAxis& axis) { return axis.coordinate("step") != nullptr; });
}

}  // namespace kvscope
