#include "experiments/judges/printed_values.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "experiments/judges/judge_text.h"

namespace kvscope {

std::optional<double> printed_value(const JudgeFile& file, std::string_view label) {
  std::optional<double> found;
  for (const TextLine& line : lines_of(file.text)) {
    std::string_view text = trimmed(line.text);
    if (!text.starts_with(label)) continue;
    text.remove_prefix(label.size());
    if (!text.starts_with(':')) continue;
    text = trimmed(text.substr(1));
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

}  // namespace kvscope
