#include "core/config/sweep.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/hydra_node.h"
#include "core/config/override.h"
#include "core/config/repository.h"

namespace kvscope {
namespace {

constexpr size_t kMostPoints = 1'000'000;

/// One axis of the grid: everything a key may be, as override texts.
struct Axis {
  std::string key;  // with prefix and package
  std::vector<std::string> points;
};

std::vector<std::string> matching_options(const Override& override,
                                          const ConfigRepository& repository) {
  if (!repository.group_exists(override.key)) {
    throw Error(ErrorKind::kConfig,
                fmt::format("override '{}': glob(..) needs a config group. {}", override.input,
                            suggestion(override.key, repository.groups())));
  }
  const GrammarSweep& sweep = *override.value->sweep;
  const auto matches = [](const std::vector<std::string>& patterns, const std::string& name) {
    return std::ranges::any_of(patterns, [&](const std::string& pattern) {
      return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
    });
  };
  std::vector<std::string> names;
  for (const std::string& name : repository.options(override.key)) {
    if (matches(sweep.include, name) && !matches(sweep.exclude, name)) names.push_back(name);
  }
  return names;
}

Axis axis_of(const Override& override, const ConfigRepository& repository) {
  Axis axis{override.key_element(), {}};
  if (!override.value) {
    axis.points = {axis.key + "=null"};  // as Hydra's sweeper writes a deletion
  } else if (!override.value->sweep) {
    axis.points = {axis.key + "=" + override.value->value.text()};
  } else if (override.value->sweep->kind == SweepKind::kGlob) {
    for (const std::string& name : matching_options(override, repository)) {
      axis.points.push_back(axis.key + "=" + name);
    }
  } else {
    for (const GrammarValue& value : override.value->sweep->values) {
      axis.points.push_back(axis.key + "=" + value.text());
    }
  }
  return axis;
}

std::vector<std::vector<std::string>> product(const std::vector<Axis>& axes) {
  std::vector<std::vector<std::string>> points{{}};
  for (const Axis& axis : axes) {
    if (points.size() * axis.points.size() > kMostPoints) {
      throw Error(ErrorKind::kConfig, fmt::format("the sweep over '{}' makes more than {} points",
                                                  axis.key, kMostPoints));
    }
    std::vector<std::vector<std::string>> longer;
    for (const std::vector<std::string>& point : points) {
      for (const std::string& text : axis.points) {
        longer.push_back(point);
        longer.back().push_back(text);
      }
    }
    points = std::move(longer);
  }
  return points;
}

std::vector<std::pair<std::string, std::string>> sweeper_params(const ConfigNode& hydra) {
  std::vector<std::pair<std::string, std::string>> params;
  const ConfigNode* node = hydra.find("sweeper.params");
  if (!node || node->is_null()) return params;
  for (const ConfigEntry& entry : node->entries()) {
    const std::string text = entry.value.is_null() ? "null" : python_text(entry.value);
    params.emplace_back(entry.name, text);
  }
  return params;
}

}  // namespace

std::vector<std::vector<std::string>> expand_overrides(
    const std::vector<std::string>& overrides,
    const std::vector<std::pair<std::string, std::string>>& params,
    const std::vector<std::filesystem::path>& folders) {
  std::vector<std::string> inputs;
  for (const auto& [key, text] : params) inputs.push_back(key + "=" + text);
  inputs.insert(inputs.end(), overrides.begin(), overrides.end());
  const ConfigRepository repository(folders);
  std::vector<Axis> axes;
  for (const Override& override : parse_overrides(inputs)) {
    if (is_hydra_override(override)) {
      if (!override.is_sweep()) continue;
      throw Error(
          ErrorKind::kConfig,
          fmt::format("override '{}': hydra's own settings cannot be swept", override.input));
    }
    Axis axis = axis_of(override, repository);
    const auto same = std::ranges::find(axes, axis.key, &Axis::key);
    if (same == axes.end()) {
      axes.push_back(std::move(axis));
    } else {
      *same = std::move(axis);
    }
  }
  return product(axes);
}

std::vector<std::vector<std::string>> expand_sweep(const ComposeRequest& request) {
  // What all points share decides the grid's own settings; the swept keys are left out.
  ComposeRequest shared = request;
  shared.overrides.clear();
  std::vector<std::string> for_every_point;
  for (const std::string& input : request.overrides) {
    const Override override = parse_override(input);
    if (!override.is_sweep()) shared.overrides.push_back(input);
    if (is_hydra_override(override)) for_every_point.push_back(input);
  }
  ConfigRepository repository(request.folders);
  const ConfigNode root = compose_unresolved(shared, repository);
  std::vector<std::vector<std::string>> points =
      expand_overrides(request.overrides, sweeper_params(*root.child("hydra")), request.folders);
  for (std::vector<std::string>& point : points) {
    point.insert(point.end(), for_every_point.begin(), for_every_point.end());
  }
  return points;
}

}  // namespace kvscope
