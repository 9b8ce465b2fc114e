#include "experiments/judges/printed_values.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "experiments/judges/judge_text.h"

namespace kvscope {
namespace {

/// What follows "LABEL:" at the beginning of a line; none where the line is another.
std::optional<std::string_view> behind_label(const TextLine& line, std::string_view label) {
  std::string_view text = trimmed(line.text);
  if (!text.starts_with(label)) return std::nullopt;
  text.remove_prefix(label.size());
  if (!text.starts_with(':')) return std::nullopt;
  return trimmed(text.substr(1));
}

}  // namespace

std::optional<double> printed_value(const JudgeFile& file, std::string_view label) {
  std::optional<double> found;
  for (const TextLine& line : lines_of(file.text)) {
    const auto behind = behind_label(line, label);
    if (!behind) continue;
    std::string_view text = *behind;
    // HART's copy of FastVAR's script: "0.2797. total images 30000"
    if (const size_t more = text.find(". "); more != std::string_view::npos)
      text = text.substr(0, more);
    found = number_text(text);
    if (!found) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}:{}: '{}' is followed by '{}', expected a number",
                              file.path.string(), line.number, label, text));
    }
  }
  return found;
}

bool prints_any(const JudgeFile& file, std::initializer_list<std::string_view> labels) {
  const std::vector<TextLine> lines = lines_of(file.text);
  return std::ranges::any_of(labels, [&](std::string_view label) {
    return std::ranges::any_of(
        lines, [&](const TextLine& line) { return behind_label(line, label).has_value(); });
  });
}

}  // namespace kvscope
