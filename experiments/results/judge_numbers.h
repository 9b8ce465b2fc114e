#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "experiments/report/tables/table.h"

namespace kvscope {

struct PointSummary;
struct SweepSummary;

/// A number that a published judge gave a point's images.
struct JudgeNumber {
  std::string label{};    ///< "GenEval", "DPG", "FID"
  std::string variant{};  ///< "official" as the judge adds up, "corrected" without its faults
  double value = 0;
  int decimals = 2;
  bool higher_is_better = true;
  std::string fault{};  ///< of a corrected one: what is wrong with the official one
  bool operator==(const JudgeNumber&) const = default;
};

/// What one judge said of a point, as DIR/points/HASH/judges/JUDGE.json keeps it.
struct StoredJudgement {
  std::string judge{};   ///< "geneval"
  std::string source{};  ///< "djghosh13/geneval af4902f24d3c"
  /// How the images were made and judged, in order: ("cfg", "3"), ("samples", "4"), ... Numbers
  /// are compared only where all of it is the same.
  std::vector<std::pair<std::string, std::string>> recipe{};
  std::vector<JudgeNumber> numbers{};
};

/// FOLDER/judges/JUDGE.json of a point's folder.
std::filesystem::path judgement_path(const std::filesystem::path& point_folder,
                                     const std::string& judge);

/// All of a point's folder, by name of the judge; what cannot be read is said in `notes`.
std::vector<StoredJudgement> stored_judgements(const std::filesystem::path& point_folder,
                                               std::vector<std::string>& notes);

/// Columns for a table with a row a point: one for every label, variant and recipe that any point
/// has, "GenEval (official)"; where recipes differ, with what they differ in: "GenEval (official),
/// cfg 4".
struct JudgeColumns {
  std::vector<TableColumn> columns{};
  std::vector<std::vector<TableCell>> cells{};  ///< [points][columns]
  /// What stands below a table: whose number a column is, of which recipe; files that could not be
  /// read.
  std::vector<std::string> notes{};
};
JudgeColumns judge_columns(const SweepSummary& sweep);

}  // namespace kvscope
