#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "experiments/judges/judge_json.h"
#include "experiments/judges/judge_prompts.h"
#include "experiments/results/judge_numbers.h"

namespace kvscope {

/// What the result files of one judge say.
struct JudgeScores {
  JudgeJson totals = JudgeJson::object();  ///< every total, by "official", "corrected", ...
  std::vector<JudgeNumber> numbers{};
  std::set<std::string> prompts{};   ///< whose pictures were judged; empty where no file says it
  std::vector<std::string> notes{};  ///< what the totals do not say: missing pictures, repeats
};

/// A result file; what it is, is told by its content.
struct JudgeFile {
  std::filesystem::path path{};
  std::string text{};  ///< empty of archives, which are read from `path`
  [[nodiscard]] bool is_archive() const { return path.extension() == ".npz"; }
};

struct ImportRequest {
  std::vector<JudgeFile> files{};
  std::optional<PromptList> prompts{};  ///< the judge's list, where it was named
  int64_t samples = 0;                  ///< of a prompt; 0: the judge's own
};

/// Throws Error(kInput) for a file that the judge's import knows nothing of.
[[noreturn]] void refuse_result_file(const JudgeFile& file, const std::string& expected);

/// "a, b, c and 7 more".
std::string first_few(const std::vector<std::string>& names, size_t most = 10);

/// Mean of values; NaN of none.
double mean_of(const std::vector<double>& values);

}  // namespace kvscope
