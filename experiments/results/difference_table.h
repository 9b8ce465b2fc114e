#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/metrics/metric.h"
#include "analysis/statistics/paired_comparison.h"
#include "experiments/report/tables/table.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// A point under the name that messages use.
struct NamedPoint {
  const PointSummary& summary;
  std::string name{};
};

/// Paired differences of a metric between points, a row each: how many pairs, both means, the mean
/// difference with its interval, effect size and p-value; the p-values are corrected over all rows
/// (Holm).
class DifferenceTable {
 public:
  /// `headers` are of the columns that say which row it is.
  DifferenceTable(Metric metric, ComparisonOptions options, std::vector<std::string> headers);

  /// Compares the images that both have of one prompt and seed: the point less the other. None, and
  /// `missing` says why, where no pair has a finite value in both.
  std::optional<PairedComparison> add(std::vector<std::string> row,
                                      const NamedPoint& point,
                                      const NamedPoint& other,
                                      std::string& missing);

  [[nodiscard]] Table table(const std::string& title) const;
  /// Images without a partner and pairs left out, each once.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
  [[nodiscard]] bool empty() const { return rows_.empty(); }

 private:
  struct Row {
    std::vector<std::string> names;
    double point_mean = 0;
    double other_mean = 0;
    PairedComparison comparison{};
  };
  void note(const std::string& text);
  [[nodiscard]] std::vector<std::string> methods(size_t tests) const;

  Metric metric_;
  ComparisonOptions options_;
  std::vector<std::string> headers_;
  std::vector<Row> rows_;
  std::vector<std::string> provenance_;
  std::vector<std::string> notes_;
};

/// "95 % BCa bootstrap interval": what an interval of these options is called.
std::string interval_title(const ComparisonOptions& options);

}  // namespace kvscope
