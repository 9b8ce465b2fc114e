#include "analysis/attention/attention_record.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/attention/attention_axes.h"
#include "analysis/attention/former_names.h"
#include "analysis/attention/index_ranges.h"
#include "core/base/error.h"

namespace kvscope {

std::string AttentionRecord::lack_of(const NamedArray& array) const {
  const auto lack = [](const ArrayAxis& axis, const char* plural, int64_t expected) {
    if (axis.size() == expected) return std::string();
    return fmt::format("{} {} of {}", plural, text_of(ranges_of(axis.coordinates.front().values)),
                       expected);
  };
  std::vector<std::string> lacks;
  for (const ArrayAxis& axis : array.axes) {
    std::string text;
    if (axis.name == "layer") text = lack(axis, "layers", layers);
    if (axis.name == "head") text = lack(axis, "heads", heads);
    if (axis.name == "step") text = lack(axis, "steps", std::ssize(steps));
    if (axis.name == "step_key" && axis.size() != step_key_axis(steps).size())
      text = "some of the steps";
    if (!text.empty()) lacks.push_back(text);
  }
  return fmt::format("{}", fmt::join(lacks, ", "));
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
