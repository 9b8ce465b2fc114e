#include "analysis/attention/array_selection.h"

#include <algorithm>
#include <ranges>
#include <utility>

namespace kvscope {
namespace {

const Coordinate* coordinate_of(const ArrayAxis& axis, const char* name) {
  const auto found = std::ranges::find(axis.coordinates, name, &Coordinate::name);
  return found == axis.coordinates.end() ? nullptr : &*found;
}

/// Whether what stands at `index` along the axis is recorded.
bool stays(const ArrayAxis& axis, size_t index, const RecordedIndices& recorded) {
  const auto is_in = [&](const char* name, const std::vector<bool>& chosen) {
    const Coordinate* coordinate = coordinate_of(axis, name);
    return coordinate == nullptr || chosen[static_cast<size_t>(coordinate->values[index])];
  };
  if (!is_in("layer", recorded.layers) || !is_in("head", recorded.heads)) return false;
  if (!is_in("step", recorded.steps)) return false;
  const Coordinate* first = coordinate_of(axis, "first_step");
  const Coordinate* last = coordinate_of(axis, "last_step");
  if (first == nullptr || last == nullptr) return true;
  const auto begin = recorded.steps.begin();
  return std::all_of(begin + first->values[index], begin + last->values[index] + 1,
                     [](bool chosen) { return chosen; });
}

}  // namespace

RecordedIndices RecordedIndices::of(const RecordedPart& part, const CacheGeometry& geometry) {
  return {.layers = indices_in(part.layers, geometry.layers, "layers"),
          .heads = indices_in(part.heads, geometry.heads, "heads"),
          .steps = indices_in(part.steps, std::ssize(geometry.steps), "steps")};
}

ArraySelection::ArraySelection(const std::vector<ArrayAxis>& axes,
                               const RecordedIndices& recorded) {
  std::vector<std::vector<size_t>> kept_of_axes;
  for (const ArrayAxis& axis : axes) {
    std::vector<size_t>& kept = kept_of_axes.emplace_back();
    for (size_t index = 0; index < static_cast<size_t>(axis.size()); ++index) {
      if (stays(axis, index, recorded)) kept.push_back(index);
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
      axes, [](const ArrayAxis& axis) { return coordinate_of(axis, "step") != nullptr; });
}

}  // namespace kvscope
