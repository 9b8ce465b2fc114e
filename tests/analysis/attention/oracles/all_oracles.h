#pragma once

#include <functional>
#include <map>
#include <string>

#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

/// What a statistic holds at a place.
using Oracle = std::function<double(const NaiveRecording&, const Where&)>;

inline std::map<std::string, Oracle> oracles() {
  std::map<std::string, Oracle> all;
#define KVSCOPE_STATISTIC(group, name, help) all[#group "." #name] = oracle_##group##_##name;
#include "analysis/attention/statistics.def"
#undef KVSCOPE_STATISTIC
  return all;
}

/// Calls `visit(index into values, where)` for every number of an array.
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
    visit(at, Where(coordinates));
  }
}

}  // namespace kvscope
