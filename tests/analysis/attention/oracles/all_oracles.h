#pragma once

#include <functional>
#include <map>
#include <string>

#include "tests/analysis/attention/array_places.h"
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

}  // namespace kvscope
