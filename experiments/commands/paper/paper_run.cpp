#include "experiments/commands/paper/paper_run.h"

#include <fmt/format.h>

#include <cstdio>

#include "core/base/atomic_file.h"
#include "core/base/console.h"
#include "core/base/error.h"
#include "core/base/shell_word.h"
#include "experiments/paper/paper_item.h"
#include "experiments/paper/published.h"
#include "experiments/program.h"
#include "experiments/sweep/configuration.h"
#include "experiments/terminal.h"

namespace kvscope {
namespace {

void check_it_can_run(const PaperItem& item, const PaperRunOptions& options) {
  if (item.commands.empty()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{} cannot be run: {}", item.name,
                            item.needs.empty() ? "it has no commands" : item.needs));
  }
  if (item.needs.empty() || !options.overrides.empty() || options.dry) return;
  throw Error(ErrorKind::kConfig,
              fmt::format("{0} needs {1}; for example\n  kvscope paper run {0} model.weights=FILE",
                          item.name, item.needs));
}

std::string shown(const std::vector<std::string>& words) {
  std::string text = "kvscope";
  for (const std::string& word : words) text += " " + shell_word(word);
  return text;
}

void compare_with_published(const PaperItem& item, const std::filesystem::path& folder) {
  if (item.published.empty()) return;
  const SweepSummary sweep = summarise_sweep(folder / item.sweep);
  std::string csv;
  for (const PublishedSeries& series : item.published) {
    const Table table = published_beside_measured(
        series, sweep, fmt::format("{}, {}: {}", item.work, item.item, series.source));
    fmt::print("{}", console_table(table, console_style()));
    csv += csv_table(table);
  }
  write_file_atomically(folder / "published.csv", csv);
}

}  // namespace

int paper_run_command(const PaperRunOptions& options) {
  ConfigRepository repository(compose_request({.config_folder = options.config_folder}).folders);
  const PaperItem item = paper_item(repository, options.name);
  check_it_can_run(item, options);
  const std::filesystem::path folder =
      options.folder.empty() ? std::filesystem::path("outputs/paper") / item.name : options.folder;
  if (!options.dry) std::filesystem::create_directories(folder);
  fmt::print("{}, {}: {}\n", item.work, item.item, item.shows);
  if (!item.claim.empty()) fmt::print("the paper: {}\n", item.claim);
  for (const std::vector<std::string>& words :
       filled_commands(item, folder.string(), options.overrides)) {
    fmt::print("$ {}\n", shown(words));
    std::fflush(stdout);
    if (options.dry) continue;
    const int code = run_program(words);
    if (code != 0) return code;
  }
  if (!options.dry) compare_with_published(item, folder);
  return 0;
}

}  // namespace kvscope
