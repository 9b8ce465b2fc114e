#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "experiments/judges/judge_scores.h"

namespace kvscope {

/// The number behind "LABEL:" at the beginning of a line; the last such line counts, as a log that
/// was written twice ends with the newer run. None where no line has it. Throws Error(kInput)
/// "file:line: ..." where something else than a number follows.
std::optional<double> printed_value(const JudgeFile& file, std::string_view label);

}  // namespace kvscope
