#include "experiments/commands/attention/attention_explore.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "analysis/attention/attention_file.h"
#include "core/base/atomic_file.h"
#include "core/base/console.h"
#include "core/base/error.h"
#include "core/base/output_check.h"
#include "experiments/explore/explorer_page.h"

namespace kvscope {

int attention_explore_command(const AttentionExploreOptions& options) {
  std::filesystem::path out = options.out;
  if (out.empty()) out = std::filesystem::path(options.files.front()).replace_extension(".html");
  constexpr std::string_view kEndings[] = {".html", ".htm"};
  check_output(out, "--out", kEndings);
  std::vector<ExploredRecord> records;
  for (const std::filesystem::path& file : options.files) {
    AttentionRecord record = read_attention(file);
    if (record.layers < 1 || record.heads < 1 || record.steps.empty()) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: damaged: a record of {} layers, {} heads and {} steps",
                              file.string(), record.layers, record.heads, record.steps.size()));
    }
    const bool has_whole = std::ranges::any_of(
        record.arrays, [&](const auto& one) { return record.lack_of(one.second).empty(); });
    if (!has_whole && !record.arrays.empty()) {
      throw Error(
          ErrorKind::kInput,
          fmt::format("{}: holds {}, and the page shows all of them: record it without "
                      "--layers, --heads and --steps, or look with kvscope attention show {}",
                      file.string(), record.lack_of(record.arrays.begin()->second), file.string()));
    }
    records.push_back({.file = file.filename().string(), .record = std::move(record)});
  }
  if (records.size() == 2 && records[0].file == records[1].file) {
    for (size_t i = 0; i < 2; ++i) records[i].file = options.files[i].string();
  }
  constexpr int64_t kMegabyte = 1'000'000;
  const ExplorerPage page = explorer_page(records, options.map_megabytes * kMegabyte);
  write_file_atomically(out, page.html);
  for (const std::string& note : page.notes) say("{}", note);
  fmt::print("{}: {:.1f} MB\n", out.string(),
             static_cast<double>(page.html.size()) / static_cast<double>(kMegabyte));
  return 0;
}

}  // namespace kvscope
