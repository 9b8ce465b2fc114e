#include "experiments/commands/verify.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "analysis/verify/verify.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

// Plain columns: names here are short and known, notes come last and may be long.
void print_results(const std::string& file, const std::vector<GroupResult>& results) {
  size_t width = 5;
  for (const GroupResult& result : results) width = std::max(width, result.group.size());
  fmt::print("{}\n  {:<{}}  {:>11}  {:>9}  {:<7}  {}\n", file, "group", width, "largest |d|",
             "tolerance", "verdict", "compared");
  for (const GroupResult& result : results) {
    const std::string tolerance =
        result.tolerance == 0 ? "exact" : fmt::format("{:.1e}", result.tolerance);
    if (!result.compared) {
      fmt::print("  {:<{}}  {:>11}  {:>9}  {:<7}  {}\n", result.group, width, "-", "-", "absent",
                 result.note);
      continue;
    }
    fmt::print("  {:<{}}  {:>11}  {:>9}  {:<7}  {}\n", result.group, width,
               fmt::format("{:.3g}", result.largest_difference), tolerance,
               result.ok ? "ok" : "FAILED", result.note);
  }
  std::fflush(stdout);
}

}  // namespace

int verify_command(const std::vector<std::string>& files) {
  if (files.empty()) {
    throw Error(ErrorKind::kConfig, "kvscope verify: expected at least one file");
  }
  size_t failed_groups = 0;
  for (const std::string& file : files) {
    const std::vector<GroupResult> results = verify_file(file);
    print_results(file, results);
    failed_groups += static_cast<size_t>(std::count_if(
        results.begin(), results.end(), [](const GroupResult& result) { return !result.ok; }));
  }
  if (failed_groups == 0) {
    fmt::print("{} file{} verified\n", files.size(), files.size() == 1 ? "" : "s");
    return 0;
  }
  fmt::print("{} group{} beyond tolerance\n", failed_groups, failed_groups == 1 ? "" : "s");
  return 1;
}

}  // namespace kvscope
