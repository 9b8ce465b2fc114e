#include "experiments/results/point_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace kvscope {
namespace {

std::string without_spaces(std::string text) {
  std::erase_if(text, [](unsigned char letter) { return std::isspace(letter) != 0; });
  return text;
}

/// Throws Error(kConfig) where `wanted` is not among `known`.
void check_known(const std::string& what,
                 const std::string& wanted,
                 const std::set<std::string>& known) {
  if (known.contains(wanted)) return;
  throw Error(ErrorKind::kConfig, fmt::format("--only: no {} '{}'. {}", what, wanted,
                                              suggestion(wanted, {known.begin(), known.end()})));
}

}  // namespace

SweepSummary points_with(SweepSummary sweep, std::span<const std::string> only) {
  for (const std::string& condition : only) {
    const size_t equals = condition.find('=');
    if (equals == std::string::npos) {
      throw Error(
          ErrorKind::kConfig,
          fmt::format("--only: expected label=value, as in budget=20%, not '{}'", condition));
    }
    const std::string label = without_spaces(condition.substr(0, equals));
    const std::string value = without_spaces(condition.substr(equals + 1));
    std::set<std::string> labels;
    std::set<std::string> values;
    for (const PointSummary& point : sweep.points) {
      for (const auto& [name, text] : point.point().labels) {
        labels.insert(name);
        if (name == label) values.insert(without_spaces(text));
      }
    }
    check_known("label", label, labels);
    check_known(label, value, values);
    std::erase_if(sweep.points, [&](const PointSummary& point) {
      const bool always = point.point().full_cache && (label == "policy" || label == "budget");
      return !always && without_spaces(point.point().label(label)) != value;
    });
  }
  return sweep;
}

}  // namespace kvscope
