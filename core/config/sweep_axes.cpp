#include "core/config/sweep_axes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/config/glob_match.h"

namespace kvscope {
namespace {

constexpr size_t kMostPoints = 1'000'000;

/// The options of a group, or the words of a key.
std::vector<std::string> names_for(const Override& override, const GlobScope& scope) {
  if (scope.repository.group_exists(override.key)) return scope.repository.options(override.key);
  if (scope.words_of_key) {
    std::vector<std::string> words = scope.words_of_key(override.key);
    if (!words.empty()) return words;
  }
  const bool has_words = static_cast<bool>(scope.words_of_key);
  throw Error(ErrorKind::kConfig,
              fmt::format("override '{}': glob(..) needs a config group{}. {}", override.input,
                          has_words ? ", or a key whose words are declared" : "",
                          suggestion(override.key, scope.repository.groups())));
}

std::vector<std::string> matching_names(const Override& override, const GlobScope& scope) {
  const GrammarSweep& sweep = *override.value->sweep;
  const auto matches = [](const std::vector<std::string>& patterns, const std::string& name) {
    return std::ranges::any_of(
        patterns, [&](const std::string& pattern) { return glob_match(name, pattern); });
  };
  std::vector<std::string> names = names_for(override, scope);
  std::erase_if(names, [&](const std::string& name) {
    return !matches(sweep.include, name) || matches(sweep.exclude, name);
  });
  return names;
}

/// What an override other than zip(..) may be, without its key.
std::vector<std::string> values_of(const Override& override, const GlobScope& scope) {
  if (!override.value) return {"null"};  // as Hydra's sweeper writes a deletion
  if (!override.value->sweep) return {override.value->value.text()};
  if (override.value->sweep->kind == SweepKind::kGlob) return matching_names(override, scope);
  if (override.value->sweep->kind == SweepKind::kInterval) {
    throw Error(ErrorKind::kConfig,
                fmt::format("override '{}': interval(..) has no place in a grid sweep; list the "
                            "values, or take range(..)",
                            override.input));
  }
  std::vector<std::string> values;
  for (const GrammarValue& value : sweep_values(*override.value->sweep, override.input)) {
    values.push_back(value.text());
  }
  return values;
}

SweepAxis zip_axis(const Override& override, const GlobScope& scope) {
  SweepAxis axis{.name = override.key};
  for (const Override& member : override.zipped) {
    const std::vector<std::string> values = values_of(member, scope);
    if (axis.keys.empty()) axis.points.resize(values.size());
    if (values.size() != axis.points.size()) {
      throw Error(
          ErrorKind::kConfig,
          fmt::format("override '{}': zip(..) goes in step, but '{}' has {} values and '{}' "
                      "has {}",
                      override.input, axis.keys.front(), axis.points.size(), member.group_key(),
                      values.size()));
    }
    for (size_t i = 0; i < values.size(); ++i) {
      axis.points[i].push_back(member.key_element() + "=" + values[i]);
    }
    axis.keys.push_back(member.group_key());
  }
  return axis;
}

/// Takes a key out of an axis with its texts.
void drop_key(SweepAxis& axis, size_t column) {
  axis.keys.erase(axis.keys.begin() + static_cast<std::ptrdiff_t>(column));
  for (std::vector<std::string>& point : axis.points) {
    point.erase(point.begin() + static_cast<std::ptrdiff_t>(column));
  }
}

}  // namespace

SweepAxis axis_of(const Override& override, const GlobScope& scope) {
  if (!override.zipped.empty()) return zip_axis(override, scope);
  SweepAxis axis{.name = override.key_element(), .keys = {override.group_key()}};
  for (const std::string& value : values_of(override, scope)) {
    axis.points.push_back({axis.name + "=" + value});
  }
  return axis;
}

void add_axis(std::vector<SweepAxis>& axes, SweepAxis axis) {
  const auto same = std::ranges::find(axes, axis.name, &SweepAxis::name);
  if (same != axes.end() && same->keys == axis.keys) {
    *same = std::move(axis);
    return;
  }
  for (SweepAxis& other : axes) {
    for (size_t i = other.keys.size(); i-- > 0;) {
      const bool is_zip = axis.keys.size() > 1 || other.keys.size() > 1;
      const bool is_shared = std::ranges::find(axis.keys, other.keys[i]) != axis.keys.end();
      if (!is_zip || !is_shared) continue;  // +x beside x is judged where it is composed
      if (other.is_typed == axis.is_typed) {
        throw Error(ErrorKind::kConfig, fmt::format("'{}' is swept twice, by '{}' and by '{}'",
                                                    other.keys[i], other.name, axis.name));
      }
      drop_key(other, i);
    }
  }
  std::erase_if(axes, [](const SweepAxis& other) { return other.keys.empty(); });
  axes.push_back(std::move(axis));
}

std::vector<std::vector<std::string>> product_of(const std::vector<SweepAxis>& axes) {
  std::vector<std::vector<std::string>> points{{}};
  for (const SweepAxis& axis : axes) {
    if (points.size() * axis.points.size() > kMostPoints) {
      throw Error(ErrorKind::kConfig, fmt::format("the sweep over '{}' makes more than {} points",
                                                  axis.name, kMostPoints));
    }
    std::vector<std::vector<std::string>> longer;
    longer.reserve(points.size() * axis.points.size());
    for (const std::vector<std::string>& point : points) {
      for (const std::vector<std::string>& texts : axis.points) {
        longer.push_back(point);
        longer.back().insert(longer.back().end(), texts.begin(), texts.end());
      }
    }
    points = std::move(longer);
  }
  return points;
}

}  // namespace kvscope
