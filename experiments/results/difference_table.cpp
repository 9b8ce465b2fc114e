#include "experiments/results/difference_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "analysis/statistics/multiple_tests.h"
#include "analysis/statistics/sample.h"
#include "experiments/results/paired_images.h"
#include "experiments/results/point_labels.h"

namespace kvscope {
namespace {

constexpr int64_t kFewPairs = 20;

TableCell p_cell(double p) {
  return std::isnan(p) ? TableCell::missing("the test says nothing of these pairs")
                       : TableCell::number(p);
}

}  // namespace

std::string interval_title(const ComparisonOptions& options) {
  if (options.interval == "t") return "95 % interval by Student's t";
  return fmt::format("95 % bootstrap interval ({})",
                     options.interval == "bca" ? "BCa" : "percentile");
}

DifferenceTable::DifferenceTable(Metric metric,
                                 ComparisonOptions options,
                                 std::vector<std::string> headers)
    : metric_(std::move(metric)), options_(std::move(options)), headers_(std::move(headers)) {}

void DifferenceTable::note(const std::string& text) {
  if (std::ranges::find(notes_, text) == notes_.end()) notes_.push_back(text);
}

std::optional<PairedComparison> DifferenceTable::add(std::vector<std::string> row,
                                                     const NamedPoint& point,
                                                     const NamedPoint& other,
                                                     std::string& missing) {
  const PairedImages pairs = paired_images(point.summary, other.summary, metric_);
  const auto unpaired = [&](int64_t count, const NamedPoint& of, const NamedPoint& in) {
    if (count == 0) return;
    note(fmt::format("{}: {} of {} images have no partner of the same prompt and seed in {}",
                     of.name, count, of.summary.result.rows.size(), in.name));
  };
  unpaired(pairs.unpaired, point, other);
  unpaired(pairs.unpaired_reference, other, point);
  if (pairs.point.empty()) {
    missing = "no image of the same prompt and seed has a finite value in both";
    return std::nullopt;
  }
  if (pairs.infinite > 0) {
    note(
        fmt::format("{} and {}: {} of {} pairs are left out, {} of one of them or both is infinite",
                    point.name, other.name, pairs.infinite,
                    pairs.without_value + pairs.infinite + std::ssize(pairs.point), metric_.label));
  }
  if (pairs.without_value > 0) {
    note(fmt::format("{} and {}: {} of {} pairs are left out, one of them or both has no {}",
                     point.name, other.name, pairs.without_value,
                     pairs.without_value + pairs.infinite + std::ssize(pairs.point),
                     metric_.label));
  }
  const PairedComparison comparison = compare_pairs(pairs.point, pairs.reference, options_);
  rows_.push_back({.names = std::move(row),
                   .point_mean = mean_of(pairs.point),
                   .other_mean = mean_of(pairs.reference),
                   .comparison = comparison});
  for (const NamedPoint* one : {&point, &other}) {
    const std::string hash = short_hash(one->summary.point());
    if (std::ranges::find(provenance_, hash) == provenance_.end()) provenance_.push_back(hash);
  }
  return comparison;
}

std::vector<std::string> DifferenceTable::methods(size_t tests) const {
  std::set<std::string> titles;
  for (const Row& row : rows_) titles.insert(paired_test_title(row.comparison.test));
  std::vector<std::string> notes = {
      fmt::format("difference: mean over pairs of images of the same prompt and seed, with its {}; "
                  "d_z: it over "
                  "the standard deviation of the differences",
                  interval_title(options_))};
  notes.push_back(
      fmt::format("p: {}, two-sided; p (Holm): corrected over the {} test{} of this table",
                  fmt::join(titles, ", "), tests, tests == 1 ? "" : "s"));
  const auto few =
      std::ranges::count_if(rows_, [](const Row& row) { return row.comparison.pairs < kFewPairs; });
  if (few > 0 && options_.interval != "t") {
    notes.push_back(fmt::format(
        "{} of {} rows have fewer than {} pairs, of which bootstrap intervals are too narrow as a "
        "rule; --interval t is not",
        few, rows_.size(), kFewPairs));
  }
  notes.push_back(fmt::format("{} resamples and drawn permutations, seed {}", options_.resamples,
                              options_.seed));
  return notes;
}

Table DifferenceTable::table(const std::string& title) const {
  Table table{.title = title, .provenance = provenance_};
  table.ends_name = interval_title(options_);
  table.interval_name = "half width of the " + table.ends_name;
  for (const std::string& header : headers_) {
    table.columns.push_back(
        {.header = header, .align = Align::kLeft, .importance = Importance::kRow});
  }
  table.columns.push_back({.header = "pairs", .decimals = 0, .importance = Importance::kDetail});
  const int decimals = metric_.decimals;
  for (const char* side : {"mean", "mean of the other"}) {
    table.columns.push_back({.header = side,
                             .unit = metric_.unit,
                             .decimals = decimals,
                             .importance = Importance::kBookkeeping});
  }
  table.columns.push_back(
      {.header = "difference", .unit = metric_.unit, .decimals = decimals, .always_ends = true});
  table.columns.push_back({.header = "d_z", .decimals = 2});
  table.columns.push_back({.header = "p", .decimals = 4, .importance = Importance::kDetail});
  table.columns.push_back({.header = "p (Holm)", .decimals = 4});
  std::vector<double> tested;
  for (const Row& row : rows_) {
    if (!std::isnan(row.comparison.p_value)) tested.push_back(row.comparison.p_value);
  }
  const std::vector<double> corrected = holm(tested);
  auto next = corrected.begin();
  for (const Row& row : rows_) {
    const PairedComparison& found = row.comparison;
    TableRow line;
    for (const std::string& name : row.names) line.cells.push_back(TableCell::text(name));
    line.cells.push_back(TableCell::number(static_cast<double>(found.pairs)));
    line.cells.push_back(TableCell::number(row.point_mean));
    line.cells.push_back(TableCell::number(row.other_mean));
    line.cells.push_back(
        TableCell::between(found.difference.estimate, found.difference.low, found.difference.high));
    line.cells.push_back(std::isnan(found.effect_size)
                             ? TableCell::missing("all differences are equal, or there is one")
                             : TableCell::number(found.effect_size));
    line.cells.push_back(p_cell(found.p_value));
    line.cells.push_back(p_cell(std::isnan(found.p_value) ? found.p_value : *next++));
    table.rows.push_back(std::move(line));
  }
  table.notes = methods(tested.size());
  return table;
}

}  // namespace kvscope
