#pragma once

#include <optional>

#include "experiments/report/figures/chart.h"

namespace kvscope {

/// One axis resolved against the data: where values fall.
struct AxisRange {
  double minimum = 0;
  double maximum = 1;
  AxisScale scale = AxisScale::kLinear;

  [[nodiscard]] bool contains(double value) const;
  /// 0 at minimum, 1 at maximum. Requires value > 0 when logarithmic.
  [[nodiscard]] double fraction(double value) const;
  /// The value of a fraction; the inverse.
  [[nodiscard]] double value(double fraction) const;
};

/// The plotting area in pixels and its two axes.
struct ChartFrame {
  double left = 0;
  double top = 0;
  double width = 0;
  double height = 0;
  AxisRange x;
  AxisRange y;

  [[nodiscard]] double right() const { return left + width; }
  [[nodiscard]] double bottom() const { return top + height; }
  [[nodiscard]] Position at(double x_value, double y_value) const;
  [[nodiscard]] bool contains(const ChartPoint& point) const;
};

/// Ranges that hold every drawable point, its error bar and the reference lines, with a margin;
/// nothing when there is no drawable point.
std::optional<std::pair<AxisRange, AxisRange>> chart_ranges(const Chart& chart);

/// Grid, ticks, tick labels and axis titles.
void draw_chart_frame(Canvas& canvas, const ChartFrame& frame, const Chart& chart);

/// Width of the widest y tick label.
double y_label_width(const Canvas& canvas, const AxisRange& y, double height_px);

}  // namespace kvscope
