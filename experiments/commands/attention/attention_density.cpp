#include "experiments/commands/attention/attention_density.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "analysis/attention/attention_file.h"
#include "analysis/statistics/kernel_density.h"
#include "core/base/error.h"
#include "experiments/report/figures/chart.h"

namespace kvscope {
namespace {

constexpr int64_t kScales = 3;  // of either kind

/// Of every (layer, head) at the `kScales` steps from `first` on.
std::vector<double> normalised_current_mass(const AttentionRecord& record, int64_t first) {
  const NamedArray& mass = record.array("mass.step");
  std::vector<double> ratios;
  for (int64_t step = first; step < first + kScales; ++step) {
    const double tokens_share =
        static_cast<double>(record.steps[step].queries()) / static_cast<double>(record.keys(step));
    for (int64_t layer = 0; layer < record.layers; ++layer) {
      for (int64_t head = 0; head < record.heads; ++head) {
        ratios.push_back(mass.at(layer, head, step, step) / tokens_share);
      }
    }
  }
  return ratios;
}

ChartSeries series_of(const std::string& name,
                      const std::vector<double>& values,
                      const std::vector<double>& at) {
  ChartSeries series{.name = name, .markers = false};
  const std::vector<double> densities = kernel_density(values, at);
  for (size_t i = 0; i < at.size(); ++i) {
    series.points.push_back({.x = at[i], .y = densities[i]});
  }
  return series;
}

std::string steps_text(int64_t first) {
  return fmt::format("steps {} to {}", first, first + kScales - 1);
}

}  // namespace

int attention_density_command(const AttentionDensityOptions& options) {
  check_figure_path(options.out);
  const AttentionRecord record = read_attention(options.file);
  const int64_t last = last_attending_step(record.steps);
  if (record.is_next_token() || last < 2 * kScales) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: expected a record of a next-scale model with at least {} scales",
                            options.file.string(), 2 * kScales + 1));
  }
  const int64_t small = 1;
  const int64_t large = last - kScales;
  const std::vector<double> of_small = normalised_current_mass(record, small);
  const std::vector<double> of_large = normalised_current_mass(record, large);
  const double most = std::max(std::ranges::max(of_small), std::ranges::max(of_large));
  constexpr int64_t kSteps = 200;
  std::vector<double> at;
  for (int64_t i = 0; i <= kSteps; ++i) {
    at.push_back(1.1 * most * static_cast<double>(i) / static_cast<double>(kSteps));
  }
  Chart chart;
  chart.title = "How much heads look at the scale they are in";
  chart.subtitle = fmt::format("{}, {} images", record.model, record.images);
  chart.note =
      "Attention per token of the current scale over that of the whole sequence; 1: no more "
      "than elsewhere.";
  chart.x = {.label = "normalised current attention", .minimum = 0};
  chart.y = {.label = "density over heads", .minimum = 0};
  chart.series = {series_of("small scales, " + steps_text(small), of_small, at),
                  series_of("large scales, " + steps_text(large), of_large, at)};
  chart.provenance = record.provenance();
  write_figure(draw_chart(chart), options.out, chart_info(chart));
  fmt::print("{}\n", options.out.string());
  return 0;
}

}  // namespace kvscope
