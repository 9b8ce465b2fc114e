#include "experiments/results/point_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "experiments/results/name_match.h"
#include "experiments/results/point_labels.h"

namespace kvscope {
namespace {

/// A label that points may be chosen by: a name, or a setting by its key or header.
struct Choice {
  std::vector<std::string> names;
  std::function<std::string(const PointSummary&)> value;
  bool of_policy = false;  ///< of policy or budget, which a full cache has no part in
};

std::vector<Choice> choices_of(const SweepSummary& sweep) {
  std::vector<Choice> choices;
  for (const char* name : {"model", "policy", "budget", "seed"}) {
    const bool of_policy = name == std::string_view("policy") || name == std::string_view("budget");
    choices.push_back({{name},
                       [name](const PointSummary& point) { return point.point().label(name); },
                       of_policy});
  }
  for (const LabelKey& key : differing_keys(sweep)) {
    choices.push_back({{key.header, key.key},
                       [key](const PointSummary& point) { return label_value(point, key); },
                       key.key.starts_with("policy.") || key.key.starts_with("budget.")});
  }
  return choices;
}

}  // namespace

SweepSummary points_with(SweepSummary sweep,
                         std::span<const std::string> only,
                         FullCaches full_caches) {
  const std::vector<Choice> choices = choices_of(sweep);
  for (const std::string& condition : only) {
    const size_t equals = condition.find('=');
    if (equals == std::string::npos) {
      throw Error(
          ErrorKind::kConfig,
          fmt::format("--only: expected label=value, as in budget=20%, not '{}'", condition));
    }
    const std::string label = without_spaces(condition.substr(0, equals));
    const std::string typed = condition.substr(equals + 1);
    std::set<std::string> labels;
    for (const Choice& choice : choices) labels.insert(choice.names.begin(), choice.names.end());
    const std::string named =
        meant_name({"--only", "label"}, label, {labels.begin(), labels.end()});
    const Choice& choice = *std::ranges::find_if(choices, [&](const Choice& one) {
      return std::ranges::find(one.names, named) != one.names.end();
    });
    std::set<std::string> values;
    for (const PointSummary& point : sweep.points) {
      values.insert(without_spaces(choice.value(point)));
    }
    const std::string value = meant_name({"--only", named}, typed, {values.begin(), values.end()});
    std::erase_if(sweep.points, [&](const PointSummary& point) {
      const bool always =
          full_caches == FullCaches::kBeside && point.point().full_cache && choice.of_policy;
      return !always && without_spaces(choice.value(point)) != value;
    });
  }
  return sweep;
}

}  // namespace kvscope
