#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace kvscope {

struct AttentionExploreOptions {
  std::vector<std::filesystem::path> files{};  ///< one record, or two to compare
  std::filesystem::path out{};                 ///< HTML; empty: FILE.html beside the first
  int64_t map_megabytes = 45;                  ///< of the page that query maps may take
};

/// `kvscope attention explore`: one HTML page to look at records with. Says what of them it cannot
/// show and what records it. Returns the exit code. Throws Error(kInput) for missing or damaged
/// files, Error(kConfig) for another ending of options.out, Error(kEnvironment) where it cannot be
/// written.
int attention_explore_command(const AttentionExploreOptions& options);

}  // namespace kvscope
