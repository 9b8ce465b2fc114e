#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/repository.h"

namespace kvscope {

/// A number that a paper has for a policy and budget.
struct PublishedValue {
  std::string policy{};  ///< as kvscope calls it
  std::string budget{};  ///< as a table shows it, "10 %"
  double value = 0;
};

/// Numbers of one metric that a paper has, to stand beside measured ones.
struct PublishedSeries {
  std::string source{};  ///< "table 1, Infinity-2B"
  std::string model{};   ///< of the numbers, as kvscope calls it
  std::string metric{};  ///< of analysis/metrics, that stands beside it
  std::string called{};  ///< what the paper measured, where that is another one; else empty
  std::vector<PublishedValue> values{};
};

/// A figure or table of a paper: a file of configs/paper.
struct PaperItem {
  std::string name{};   ///< of its file
  std::string work{};   ///< "ScaleKV (arXiv:2505.19602)"
  std::string item{};   ///< "figure 7a"
  std::string shows{};  ///< one line
  std::string claim{};  ///< what the paper concludes from it; may be empty
  std::string needs{};  ///< what is not shipped and has to be given; empty: it runs here
  int64_t minutes = 0;  ///< on two cores
  /// Command lines of the program in order. "{folder}" stands for where results go, the word
  /// "{overrides}" for the overrides that the user gives.
  std::vector<std::vector<std::string>> commands{};
  std::string sweep{};  ///< folder of the sweep that `published` is compared with
  std::vector<PublishedSeries> published{};

  [[nodiscard]] bool runs_here() const { return needs.empty() && !commands.empty(); }
};

/// All of the group `paper`, by name. Throws Error(kConfig) naming file and key for what a file
/// says wrong.
std::vector<PaperItem> paper_items(ConfigRepository& repository);

/// The item of that name, or the only one whose name begins so. Throws Error(kConfig) with the
/// nearest.
PaperItem paper_item(ConfigRepository& repository, const std::string& name);

/// The item's command lines with results below `folder` and `overrides` in their places.
std::vector<std::vector<std::string>> filled_commands(const PaperItem& item,
                                                      const std::string& folder,
                                                      const std::vector<std::string>& overrides);

}  // namespace kvscope
