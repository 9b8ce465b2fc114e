#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "analysis/statistics/correlation.h"
#include "analysis/statistics/distributions.h"
#include "analysis/statistics/multiple_tests.h"
#include "analysis/statistics/paired_tests.h"
#include "analysis/statistics/sample.h"
#include "experiments/verify/kinds.h"
#include "experiments/verify/statistics/number_group.h"
#include "experiments/verify/text/tokenizer_cases.h"

namespace kvscope::verify {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr const char* kParts[] = {"paired", "multiple", "summary", "distributions"};
constexpr size_t kMostValues = 20'000;  // of a sample: one statistic takes time by their square

/// An object of the file and where it stands, for messages. Asked for what it has; names nobody
/// asked for are kept, as what was not compared.
class Entry {
 public:
  Entry(const fs::path& file, const json& object, std::string place)
      : file_(file), object_(object), place_(std::move(place)) {
    if (!object.is_object()) fail("", "an object");
  }

  [[nodiscard]] const std::string& place() const { return place_; }
  [[nodiscard]] std::string place_of(const std::string& key) const { return place_ + "." + key; }
  bool has(const std::string& key) {
    asked_.insert(key);
    return object_.contains(key);
  }

  double number(const std::string& key) {
    asked_.insert(key);
    return number_at(object_.contains(key) ? object_[key] : json(), key);
  }

  std::vector<double> numbers(const std::string& key) {
    asked_.insert(key);
    const bool is_list = object_.contains(key) && object_[key].is_array();
    if (!is_list || object_[key].size() > kMostValues) {
      fail(key, fmt::format("a list of at most {} numbers", kMostValues));
    }
    std::vector<double> values;
    values.reserve(object_[key].size());
    for (const json& value : object_[key]) values.push_back(number_at(value, key));
    return values;
  }

  /// A list of lists of `width` numbers each.
  std::vector<std::vector<double>> rows(const std::string& key, size_t width) {
    asked_.insert(key);
    const std::string expected = fmt::format("a list of lists of {} numbers", width);
    if (!object_.contains(key) || !object_[key].is_array()) fail(key, expected);
    std::vector<std::vector<double>> rows;
    for (const json& row : object_[key]) {
      if (!row.is_array() || row.size() != width) fail(key, expected);
      std::vector<double>& values = rows.emplace_back();
      for (const json& value : row) values.push_back(number_at(value, key));
    }
    return rows;
  }

  std::string word(const std::string& key, const std::set<std::string>& allowed) {
    asked_.insert(key);
    if (object_.contains(key) && object_[key].is_string()) {
      auto text = object_[key].get<std::string>();
      if (allowed.contains(text)) return text;
    }
    fail(key, fmt::format("one of {}", fmt::join(allowed, ", ")));
  }

  bool flag(const std::string& key) {
    asked_.insert(key);
    if (!object_.contains(key) || !object_[key].is_boolean()) fail(key, "true or false");
    return object_[key].get<bool>();
  }

  /// The object below a key, or those of a list.
  std::vector<Entry> below(const std::string& key) {
    asked_.insert(key);
    std::vector<Entry> entries;
    if (!object_.contains(key)) return entries;
    const json& value = object_[key];
    if (!value.is_array()) {
      entries.emplace_back(file_, value, place_of(key));
      return entries;
    }
    for (size_t i = 0; i < value.size(); ++i) {
      entries.emplace_back(file_, value[i], fmt::format("{}.{}", place_of(key), i));
    }
    return entries;
  }

  [[nodiscard]] std::vector<std::string> unasked() const {
    std::vector<std::string> names;
    for (const auto& item : object_.items()) {
      if (!asked_.contains(item.key())) names.push_back(place_of(item.key()));
    }
    return names;
  }

  [[nodiscard]] std::vector<std::string> keys() const {
    std::vector<std::string> names;
    for (const auto& item : object_.items()) names.push_back(item.key());
    return names;
  }

  [[noreturn]] void fail(const std::string& key, const std::string& expected) const {
    fail_cases(file_,
               fmt::format("{}: expected {}", key.empty() ? place_ : place_of(key), expected));
  }

 private:
  [[nodiscard]] double number_at(const json& value, const std::string& key) const {
    try {
      return number_of(value);
    } catch (const std::invalid_argument&) {
      fail(key, "a number, or {\"__float__\": \"nan\"}");
    }
  }

  const fs::path& file_;
  const json& object_;
  std::string place_;
  std::set<std::string> asked_;
};

/// The groups of a file in the order in which they first appear, and what nothing was made of.
class Comparison {
 public:
  void compare(const std::string& group,
               Entry& entry,
               const std::string& key,
               double computed,
               const NumberGroup::Scale& scale = {}) {
    if (entry.has(key))
      group_named(group).compare(computed, entry.number(key), entry.place_of(key), scale);
  }

  void compare_all(const std::string& group,
                   Entry& entry,
                   const std::string& key,
                   const std::vector<double>& computed,
                   const NumberGroup::Scale& scale = {}) {
    if (!entry.has(key)) return;
    const std::vector<double> recorded = entry.numbers(key);
    if (recorded.size() != computed.size()) {
      entry.fail(key, fmt::format("{} numbers", computed.size()));
    }
    for (size_t i = 0; i < recorded.size(); ++i) {
      group_named(group).compare(computed[i], recorded[i],
                                 fmt::format("{}.{}", entry.place_of(key), i), scale);
    }
  }

  void compare_number(const std::string& group,
                      const std::string& place,
                      double computed,
                      double recorded) {
    group_named(group).compare(computed, recorded, place);
  }

  void finish(const Entry& entry) {
    for (std::string& name : entry.unasked()) unasked_.push_back(std::move(name));
  }

  [[nodiscard]] std::vector<GroupResult> results() const {
    std::vector<GroupResult> results;
    for (const auto& [name, group] : groups_) results.push_back(group.result());
    if (!unasked_.empty()) {
      results.push_back({.group = "(not compared)",
                         .ok = true,
                         .note = fmt::format("{} entries mean nothing to this kind, first '{}'",
                                             unasked_.size(), unasked_.front())});
    }
    return results;
  }

 private:
  NumberGroup& group_named(const std::string& name) {
    const auto known =
        std::ranges::find_if(groups_, [&](const auto& g) { return g.first == name; });
    if (known != groups_.end()) return known->second;
    return groups_.emplace_back(name, NumberGroup(name)).second;
  }

  std::vector<std::pair<std::string, NumberGroup>> groups_;
  std::vector<std::string> unasked_;
};

double largest_magnitude(const std::vector<double>& values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

void compare_p(const std::string& group,
               Entry& entry,
               const PValues& p,
               Comparison& comparison,
               const NumberGroup::Scale& scale = {}) {
  comparison.compare(group, entry, "p_two_sided", p.two_sided, scale);
  comparison.compare(group, entry, "p_less", p.less, scale);
  comparison.compare(group, entry, "p_greater", p.greater, scale);
}

/// Differences that are nearly all the same leave their standard deviation few digits.
NumberGroup::Scale scale_of_t(const std::vector<double>& differences) {
  NumberGroup::Scale scale;
  const double lost = largest_magnitude(differences) * std::numeric_limits<double>::epsilon() /
                      standard_deviation(differences);
  if (std::isfinite(lost)) scale.tolerance += 16 * static_cast<double>(differences.size()) * lost;
  return scale;
}

void check_wilcoxon(Entry& entry, const std::vector<double>& differences, Comparison& comparison) {
  static const std::map<std::string, WilcoxonMethod> methods = {
      {"auto", WilcoxonMethod::kAuto},
      {"exact", WilcoxonMethod::kExact},
      {"approx", WilcoxonMethod::kNormal},
      {"asymptotic", WilcoxonMethod::kNormal}};
  static const std::map<std::string, ZeroDifferences> zeros = {
      {"wilcox", ZeroDifferences::kDropped}, {"pratt", ZeroDifferences::kRankedThenLeft}};
  const WilcoxonOptions options{
      .method = methods.at(entry.word("method", {"auto", "exact", "approx", "asymptotic"})),
      .zeros = zeros.at(entry.word("zero_method", {"wilcox", "pratt"})),
      .continuity_correction = entry.flag("correction")};
  const WilcoxonTest test = wilcoxon_test(differences, options);
  comparison.compare("wilcoxon", entry, "statistic", test.statistic);
  comparison.compare("wilcoxon", entry, "z", test.z, {.least = 1e-6});
  compare_p("wilcoxon", entry, test.p, comparison);
  comparison.finish(entry);
}

void check_paired(Entry& entry, Comparison& comparison) {
  entry.has("name");
  const std::vector<double> x = entry.numbers("x");
  const std::vector<double> y = entry.numbers("y");
  if (x.size() != y.size() || x.empty())
    entry.fail("y", fmt::format("{} numbers, at least 1", x.size()));
  const std::vector<double> differences = differences_of(x, y);
  const NumberGroup::Scale of_values{.least = largest_magnitude(differences)};
  for (Entry& summary : entry.below("difference")) {
    comparison.compare("difference", summary, "n", static_cast<double>(differences.size()));
    comparison.compare("difference", summary, "mean", mean_of(differences), of_values);
    comparison.compare("difference", summary, "sd_ddof1", standard_deviation(differences),
                       of_values);
    comparison.compare("difference", summary, "median", median_value(differences), of_values);
    comparison.finish(summary);
  }
  for (Entry& recorded : entry.below("ttest_rel")) {
    const PairedTTest test = paired_t_test(differences);
    const NumberGroup::Scale scale = scale_of_t(differences);
    comparison.compare("t test", recorded, "t", test.t, scale);
    comparison.compare("t test", recorded, "df", test.degrees);
    compare_p("t test", recorded, test.p, comparison, scale);
    comparison.compare_all("t test", recorded, "ci95",
                           {test.mean_difference.low, test.mean_difference.high}, of_values);
    comparison.finish(recorded);
  }
  comparison.compare("effect size", entry, "cohen_dz", cohen_dz(differences),
                     scale_of_t(differences));
  for (Entry& recorded : entry.below("wilcoxon")) check_wilcoxon(recorded, differences, comparison);
  comparison.compare("sign test", entry, "sign_test_p_two_sided", sign_test(differences));
  const NumberGroup::Scale of_correlation{.least = 1e-3};
  comparison.compare("correlation", entry, "pearson_r", pearson_correlation(x, y), of_correlation);
  comparison.compare("correlation", entry, "spearman_rho", spearman_correlation(x, y),
                     of_correlation);
  comparison.compare("correlation", entry, "kendall_tau_b", kendall_tau_b(x, y), of_correlation);
  comparison.finish(entry);
}

void check_multiple(Entry& entry, Comparison& comparison) {
  using Adjust = std::vector<double> (*)(std::span<const double>);
  static const std::vector<std::pair<const char*, Adjust>> methods = {
      {"holm", holm},
      {"hochberg", hochberg},
      {"bonferroni", bonferroni},
      {"benjamini_hochberg", benjamini_hochberg},
      {"benjamini_yekutieli", benjamini_yekutieli}};
  const std::vector<double> p = entry.numbers("p");
  for (const auto& [name, adjust] : methods) comparison.compare_all(name, entry, name, adjust(p));
  comparison.finish(entry);
}

void check_summary(Entry& entry, Comparison& comparison) {
  const std::vector<double> x = entry.numbers("x");
  const NumberGroup::Scale scale{.least = largest_magnitude(x)};
  const Interval interval = mean_interval(x);
  comparison.compare("summary", entry, "mean", mean_of(x), scale);
  comparison.compare("summary", entry, "median", median_value(x), scale);
  comparison.compare("summary", entry, "sd_ddof1", standard_deviation(x), scale);
  comparison.compare("summary", entry, "t95_halfwidth", (interval.high - interval.low) / 2, scale);
  if (entry.has("quantiles")) {
    std::vector<double> quantiles;
    for (const double probability : entry.numbers("quantiles")) {
      if (!(probability >= 0 && probability <= 1)) entry.fail("quantiles", "numbers of 0 to 1");
      quantiles.push_back(quantile_of(x, probability));
    }
    comparison.compare_all("summary", entry, "linear", quantiles, scale);
  }
  comparison.finish(entry);
}

/// "t_ppf_0.975": the probability behind the name.
double probability_of(Entry& entry, const std::string& key, const std::string& prefix) {
  try {
    size_t read = 0;
    const std::string text = key.substr(prefix.size());
    const double probability = std::stod(text, &read);
    if (read == text.size() && probability > 0 && probability < 1) return probability;
  } catch (const std::logic_error&) {
    // said below
  }
  entry.fail(key, "a probability above 0 and below 1 in its name, as t_ppf_0.975");
}

/// Lists of [arguments..., value].
void check_distributions(Entry& entry, Comparison& comparison) {
  using Function = std::function<double(const std::vector<double>&)>;
  static const std::map<std::string, std::pair<size_t, Function>> known = {
      {"t_sf", {2, [](const auto& a) { return student_t_upper_tail(a[0], a[1]); }}},
      {"t_cdf", {2, [](const auto& a) { return student_t_upper_tail(-a[0], a[1]); }}},
      {"norm_sf", {1, [](const auto& a) { return normal_upper_tail(a[0]); }}},
      {"norm_cdf", {1, [](const auto& a) { return normal_upper_tail(-a[0]); }}},
      {"norm_ppf", {1, [](const auto& a) { return normal_quantile(a[0]); }}}};
  for (const std::string& key : entry.keys()) {
    size_t arguments = 1;
    Function function;
    if (const auto found = known.find(key); found != known.end()) {
      std::tie(arguments, function) = found->second;
    } else if (key.starts_with("t_ppf_")) {
      const double probability = probability_of(entry, key, "t_ppf_");
      function = [=](const auto& a) { return student_t_quantile(probability, a[0]); };
    } else {
      continue;
    }
    for (const std::vector<double>& row : entry.rows(key, arguments + 1)) {
      comparison.compare_number("distributions", fmt::format("{}.{}", entry.place_of(key), row[0]),
                                function(row), row.back());
    }
  }
  comparison.finish(entry);
}

}  // namespace

bool is_statistics_cases(const fs::path& path) {
  const json file = read_case_file(path);
  if (!file.is_object()) return false;
  if (file.contains("kind")) return file["kind"] == "statistics";
  return !file.contains("cases") &&
         std::ranges::any_of(kParts, [&](const char* part) { return file.contains(part); });
}

std::vector<GroupResult> verify_statistics_cases(const fs::path& path) {
  const json file = read_case_file(path);
  Entry top(path, file, "file");
  Comparison comparison;
  for (const char* note : {"kind", "versions"}) top.has(note);
  for (Entry& entry : top.below("paired")) check_paired(entry, comparison);
  for (Entry& entry : top.below("multiple")) check_multiple(entry, comparison);
  for (Entry& entry : top.below("summary")) check_summary(entry, comparison);
  for (Entry& entry : top.below("distributions")) check_distributions(entry, comparison);
  comparison.finish(top);
  std::vector<GroupResult> results = comparison.results();
  if (results.empty()) fail_cases(path, "records no statistics");
  return results;
}

}  // namespace kvscope::verify
