#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "experiments/judges/judge_scores.h"

namespace kvscope {

/// The number behind "LABEL:" at the beginning of a line; the last such line counts, as a log that
/// was written twice ends with the newer run. None where no line has it. Throws Error(kInput)
/// "file:line: ..." where something else than a number follows.
std::optional<double> printed_value(const JudgeFile& file, std::string_view label);

/// Whether a line begins with "LABEL:" of any of these: what only another judge's program prints.
bool prints_any(const JudgeFile& file, std::initializer_list<std::string_view> labels);

}  // namespace kvscope
