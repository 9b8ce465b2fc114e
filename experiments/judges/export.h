#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "experiments/judges/exported_point.h"
#include "experiments/judges/judge.h"

namespace kvscope {

struct ExportOptions {
  std::filesystem::path folder{};  ///< of results
  std::filesystem::path out{};     ///< to be made
  PointChoice choice{};
  std::string base{};                 ///< hash of the full cache of pairs; empty: the only one
  std::filesystem::path prompts{};    ///< the judge's list; empty: none
  std::filesystem::path rewritten{};  ///< {original: rewritten}; empty: none
  std::optional<int64_t> samples{};   ///< of a prompt; none: the judge's number
  std::string name{};                 ///< of the model; empty: of the point
  std::optional<int> jpeg_quality{};  ///< none: 95
  bool is_partial = false;            ///< leaves out what is missing instead of refusing
  std::optional<bool> is_shuffled{};  ///< of an archive; none: it is
  std::optional<uint64_t> shuffle_seed{};
  std::string command_line{};  ///< for the card
};

/// What was written.
struct ExportSummary {
  std::filesystem::path out{};
  std::filesystem::path card{};
  std::string point{};  ///< hash
  std::vector<std::string> places{};
  int64_t pictures = 0;
  int64_t prompts = 0;
  int64_t missing = 0;
  std::vector<std::string> notes{};
  bool is_stopped = false;  ///< nothing was written
};

/// Writes the folder that `judge` reads from the images of one point, and OUT.card.json beside it.
/// Everything is looked at before anything is written. Throws Error(kConfig) for what is asked for
/// wrongly, or of a layout that has no use for it, Error(kInput) for pictures that are missing (the
/// first ten and how many) or differ in size, Error(kEnvironment) where OUT is there already or
/// cannot be written.
ExportSummary export_for(const Judge& judge,
                         const ExportOptions& options,
                         const std::function<bool()>& stop_asked);

/// The judge's list at `path`, checked and with its digest; an empty one for an empty path.
PromptList prompt_list_of(const Judge& judge, const std::filesystem::path& path);

}  // namespace kvscope
