#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "analysis/attention/named_array.h"

namespace kvscope {

/// Calls `visit(index into values, coordinates of its place)` for every number of an array.
template <class Visit>
void each_place(const NamedArray& array, const Visit& visit) {
  for (size_t at = 0; at < array.values.size(); ++at) {
    std::map<std::string, int64_t> coordinates;
    size_t rest = at;
    for (auto axis = array.axes.rbegin(); axis != array.axes.rend(); ++axis) {
      const size_t index = rest % static_cast<size_t>(axis->size());
      rest /= static_cast<size_t>(axis->size());
      for (const Coordinate& one : axis->coordinates) coordinates[one.name] = one.values[index];
    }
    visit(at, coordinates);
  }
}

}  // namespace kvscope
