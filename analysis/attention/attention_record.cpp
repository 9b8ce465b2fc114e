#include "analysis/attention/attention_record.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "analysis/attention/former_names.h"
#include "core/base/error.h"
#include "core/config/hash.h"
#include "policies/index_ranges.h"

namespace kvscope {
namespace {

/// Which of the first `count` steps have a place along the axis; none where it is of no steps.
std::vector<int64_t> steps_along(const ArrayAxis& axis, int64_t count) {
  const std::vector<int64_t>* first = axis.coordinate("first_step");
  const std::vector<int64_t>* last = axis.coordinate("last_step");
  if (first == nullptr || last == nullptr) first = last = axis.coordinate("step");
  std::vector<int64_t> there;
  if (first == nullptr) return there;
  std::vector<bool> found(static_cast<size_t>(count), false);
  for (size_t place = 0; place < first->size(); ++place) {
    const int64_t end = std::min((*last)[place], count - 1);
    for (int64_t step = std::max<int64_t>((*first)[place], 0); step <= end; ++step) {
      found[static_cast<size_t>(step)] = true;
    }
  }
  for (int64_t step = 0; step < count; ++step) {
    if (found[static_cast<size_t>(step)]) there.push_back(step);
  }
  return there;
}

}  // namespace

std::string AttentionRecord::lack_of(const NamedArray& array) const {
  std::vector<std::string> lacks;
  const auto add = [&](const char* plural, const std::vector<int64_t>& there, int64_t expected) {
    if (std::ssize(there) == expected) return;
    lacks.push_back(fmt::format("{} {} of {}", plural, IndexRanges::of(there).text(), expected));
  };
  for (const ArrayAxis& axis : array.axes) {
    const std::vector<int64_t>& values = axis.coordinates.front().values;
    if (axis.name == "layer") add("layers", values, layers);
    if (axis.name == "head") add("heads", values, heads);
    if (axis.name == "step") add("steps", values, std::ssize(steps));
    // Every step that attends has a place, or belongs to one.
    if (axis.name != "step_key" && axis.name != "sampled_query" && axis.name != "step_group") {
      continue;
    }
    const std::vector<int64_t> there = steps_along(axis, last_attending_step(steps) + 1);
    if (!there.empty()) add("steps", there, last_attending_step(steps) + 1);
  }
  return fmt::format("{}", fmt::join(lacks, ", "));
}

std::vector<std::string> AttentionRecord::provenance() const {
  if (point_hash.empty()) return {};
  return {short_hash(point_hash)};
}

std::string AttentionRecord::images_text() const {
  if (!is_complete()) return fmt::format("{} of {} images", images, asked_images);
  return images == 1 ? "1 image" : fmt::format("{} images", images);
}

bool AttentionRecord::holds(const std::string& name) const {
  const auto found = arrays.find(name);
  return found != arrays.end() && lack_of(found->second).empty();
}

const NamedArray& AttentionRecord::array(const std::string& name) const {
  const NamedArray& array = part(name);
  const std::string lack = lack_of(array);
  if (lack.empty()) return array;
  throw Error(ErrorKind::kInput,
              fmt::format("the record holds '{}' of {}, and all are needed here: record it without "
                          "--layers, --heads and --steps",
                          name, lack));
}

const NamedArray& AttentionRecord::part(const std::string& name) const {
  const auto found = arrays.find(name);
  if (found != arrays.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [other, values] : arrays) known.push_back(other);
  const std::string today = name_since_version_3(name);
  throw Error(
      ErrorKind::kInput,
      fmt::format(
          "the record holds no '{}'. {} It is recorded by: kvscope attention record "
          "--statistics {}",
          name,
          today != name ? fmt::format("It is called '{}' now.", today) : suggestion(name, known),
          today));
}

}  // namespace kvscope
