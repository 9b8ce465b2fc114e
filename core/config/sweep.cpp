#include "core/config/sweep.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/glob_match.h"
#include "core/config/hydra_node.h"
#include "core/config/interpolation.h"
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
    return std::ranges::any_of(
        patterns, [&](const std::string& pattern) { return glob_match(name, pattern); });
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
  } else if (override.value->sweep->kind == SweepKind::kInterval) {
    throw Error(ErrorKind::kConfig,
                fmt::format("override '{}': interval(..) has no place in a grid sweep; list the "
                            "values, or take range(..)",
                            override.input));
  } else {
    for (const GrammarValue& value : sweep_values(*override.value->sweep, override.input)) {
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

std::vector<std::pair<std::string, std::string>> sweeper_params(const ConfigNode& root,
                                                                const ComposeRequest& request) {
  std::vector<std::pair<std::string, std::string>> params;
  const ResolverContext context{&root, request.environment, request.now};
  const std::optional<SelectedValue> found = select_value(root, "hydra.sweeper.params", context);
  if (!found || found->value.is_null()) return params;
  for (const ConfigEntry& entry : found->value.entries()) {
    if (entry.value.is_interpolation()) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: hydra.sweeper.params.{}: '{}' cannot be resolved",
                              entry.value.origin().text(), entry.name, entry.value.as_string()));
    }
    const std::string text = entry.value.is_null() ? "null" : python_text(entry.value);
    params.emplace_back(entry.name, text);
  }
  return params;
}

std::optional<int64_t> max_batch_size(const ConfigNode& hydra) {
  const ConfigNode* node = hydra.find("sweeper.max_batch_size");
  if (!node || node->is_null()) return std::nullopt;
  const int64_t size = node->as_int64();
  if (size >= 1) return size;
  throw Error(ErrorKind::kConfig,
              fmt::format("{}: hydra.sweeper.max_batch_size must be at least 1, got {}",
                          node->origin().text(), size));
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

ExpandedSweep expand_jobs(const ComposeRequest& request) {
  // What all points share decides the grid's own settings; the swept keys are left out.
  ComposeRequest shared = request;
  shared.overrides.clear();
  ExpandedSweep sweep;
  for (const std::string& input : request.overrides) {
    const Override override = parse_override(input);
    if (!override.is_sweep()) shared.overrides.push_back(input);
    if (is_hydra_override(override)) sweep.hydra_overrides.push_back(input);
  }
  ConfigRepository repository(request.folders);
  const ConfigNode root = compose_unresolved(shared, repository);
  const ConfigNode& hydra = *root.child("hydra");
  sweep.jobs = expand_overrides(request.overrides, sweeper_params(root, request), request.folders);
  sweep.max_batch_size = max_batch_size(hydra);
  return sweep;
}

std::vector<std::vector<std::string>> expand_sweep(const ComposeRequest& request) {
  ExpandedSweep sweep = expand_jobs(request);
  for (std::vector<std::string>& point : sweep.jobs) {
    point.insert(point.end(), sweep.hydra_overrides.begin(), sweep.hydra_overrides.end());
  }
  return std::move(sweep.jobs);
}

}  // namespace kvscope
