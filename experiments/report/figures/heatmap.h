#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "experiments/report/drawing/canvas.h"
#include "experiments/report/figures/ticks.h"

namespace kvscope {

/// A short sign on one cell, e.g. "D" on a drafter.
struct HeatmapMark {
  int64_t row = 0;
  int64_t column = 0;
  std::string text{};
};

/// A matrix as coloured cells, e.g. layers x scales. NaN means no data and is drawn hatched.
struct Heatmap {
  std::string title{};
  std::string subtitle{};
  std::string row_axis{};                    // e.g. "layer"
  std::string column_axis{};                 // e.g. "scale"
  std::string value_label{};                 // of the colour bar
  std::vector<std::string> row_labels{};     // [rows]
  std::vector<std::string> column_labels{};  // [columns]
  std::vector<double> values{};              // [rows][columns]
  AxisScale scale = AxisScale::kLinear;      // logarithmic: values <= 0 count as no data
  std::optional<double> minimum{};           // left out: from the data
  std::optional<double> maximum{};
  std::vector<HeatmapMark> marks{};
  std::string marks_note{};  // what the marks mean, e.g. "D: drafter"
  std::vector<std::string> provenance{};
};

/// The drawing: cells in viridis, a colour bar with round ticks, labels thinned where they would
/// touch. Errors: kConfig when the number of values or labels does not fit, or a mark lies outside.
Canvas draw_heatmap(const Heatmap& heatmap);

/// Title, provenance and a sentence on rows, columns and range.
FigureInfo heatmap_info(const Heatmap& heatmap);

}  // namespace kvscope
