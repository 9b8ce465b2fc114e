#include "experiments/judges/judge_scores.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>
#include <numeric>
#include <span>

#include "core/base/error.h"

namespace kvscope {

void refuse_result_file(const JudgeFile& file, const std::string& expected) {
  throw Error(ErrorKind::kInput, fmt::format("{}:1: no result file of this judge: expected {}",
                                             file.path.string(), expected));
}

std::string first_few(const std::vector<std::string>& names, size_t most) {
  if (names.size() <= most) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{} and {} more", fmt::join(std::span(names).first(most), ", "),
                     names.size() - most);
}

double mean_of(const std::vector<double>& values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace kvscope
