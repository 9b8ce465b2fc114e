#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiments/judges/exported_point.h"
#include "experiments/judges/judge.h"

namespace kvscope {

struct ImportOptions {
  std::vector<std::filesystem::path> files{};
  std::filesystem::path prompts{};   ///< the judge's list; empty: none
  std::optional<int64_t> samples{};  ///< of a prompt; none: the judge's number
};

/// Reads result files of `judge`. Throws Error(kInput) with file and line for what is none, cut or
/// makes no sense.
JudgeScores import_scores(const Judge& judge, const ImportOptions& options);

/// Where numbers are kept.
struct StoreOptions {
  std::filesystem::path folder{};  ///< of results
  PointChoice choice{};
  std::filesystem::path card{};  ///< of the export; empty: none
};

/// Keeps them as DIR/points/HASH/judges/JUDGE.json, with the digests of `files` and the recipe of
/// the card or, without one, of the point. Returns the file. Throws Error(kConfig) where the point
/// is not clear, Error(kInput) where the card is another judge's or of no point here, or where none
/// of the prompts that the results name is the point's; if some are not, the scores get a note.
std::filesystem::path store_scores(const Judge& judge,
                                   const ImportOptions& import,
                                   JudgeScores& scores,
                                   const StoreOptions& store);

/// As --json prints them and the store keeps them: label, variant, value, fault.
JudgeJson json_of(const std::vector<JudgeNumber>& numbers);

}  // namespace kvscope
