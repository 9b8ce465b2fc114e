#include "analysis/statistics/paired_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/statistics/bootstrap.h"
#include "analysis/statistics/correlation.h"
#include "analysis/statistics/paired_tests.h"
#include "analysis/statistics/sample.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr const char* kAutomatic = "auto";

struct PairedTest {
  const char* name;
  const char* title;
  double (*p_value)(std::span<const double> differences, const ComparisonOptions& options);
};

constexpr std::array kTests = {
    PairedTest{"permutation", "permutation test of signs",
               [](std::span<const double> differences, const ComparisonOptions& options) {
                 return sign_flip_test(differences, options.resamples, options.seed).p_two_sided;
               }},
    PairedTest{"wilcoxon", "Wilcoxon's signed-rank test",
               [](std::span<const double> differences, const ComparisonOptions&) {
                 return wilcoxon_test(differences).p.two_sided;
               }},
    PairedTest{"t", "Student's paired t test",
               [](std::span<const double> differences, const ComparisonOptions&) {
                 return paired_t_test(differences).p.two_sided;
               }},
    PairedTest{"sign", "sign test",
               [](std::span<const double> differences, const ComparisonOptions&) {
                 return sign_test(differences);
               }},
    // The same test; of zeros and ones it has a name of its own.
    PairedTest{"mcnemar", "McNemar's exact test",
               [](std::span<const double> differences, const ComparisonOptions&) {
                 const double p = sign_test(differences);
                 return std::isnan(p) && !differences.empty() ? 1.0 : p;  // nothing differs
               }}};

const PairedTest& test_named(std::string_view name) {
  const auto found =
      std::ranges::find_if(kTests, [&](const auto& one) { return name == one.name; });
  if (found != kTests.end()) return *found;
  throw Error(ErrorKind::kConfig, fmt::format("no test '{}' of pairs. {}", name,
                                              suggestion(std::string(name), paired_test_names())));
}

bool is_binary(std::span<const double> values) {
  return std::ranges::all_of(values, [](double value) { return value == 0 || value == 1; });
}

Interval interval_of(std::span<const double> differences, const ComparisonOptions& options) {
  const std::vector<std::string> names = paired_interval_names();
  if (std::ranges::find(names, options.interval) == names.end()) {
    throw Error(ErrorKind::kConfig, fmt::format("no interval '{}'. {}", options.interval,
                                                suggestion(options.interval, names)));
  }
  if (options.interval == "t") return mean_interval(differences);
  return bootstrap_interval(
      differences, mean_of,
      {.method = options.interval == "bca" ? BootstrapMethod::kBca : BootstrapMethod::kPercentile,
       .resamples = options.resamples,
       .seed = options.seed});
}

}  // namespace

std::vector<std::string> paired_test_names() {
  std::vector<std::string> names = {kAutomatic};
  for (const PairedTest& test : kTests) names.emplace_back(test.name);
  return names;
}

std::vector<std::string> paired_interval_names() {
  return {"bca", "percentile", "t"};
}

std::string paired_test_title(std::string_view test) {
  return test_named(test).title;
}

PairedComparison compare_pairs(std::span<const double> x,
                               std::span<const double> y,
                               const ComparisonOptions& options) {
  const std::vector<double> differences = differences_of(x, y);
  const bool are_binary = is_binary(x) && is_binary(y);
  const std::string automatic = are_binary ? "mcnemar" : "permutation";
  const PairedTest& test = test_named(options.test == kAutomatic ? automatic : options.test);
  return {.pairs = std::ssize(differences),
          .difference = interval_of(differences, options),
          .effect_size = cohen_dz(differences),
          .p_value = test.p_value(differences, options),
          .test = test.name,
          .standard_deviation = standard_deviation(differences)};
}

}  // namespace kvscope
