#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "experiments/report/drawing/canvas.h"
#include "experiments/report/figures/ticks.h"

namespace kvscope {

struct ChartPoint {
  double x = 0;
  double y = 0;
  double y_low = std::numeric_limits<double>::quiet_NaN();  // ends of the error bar; NaN: none
  double y_high = std::numeric_limits<double>::quiet_NaN();
  std::string label{};  // beside the point, where nothing else is

  [[nodiscard]] bool has_error_bar() const { return y_high > y_low; }
};

struct ChartSeries {
  std::string name{};
  std::vector<ChartPoint> points{};  // drawn in this order
  bool connected = true;
  bool markers = true;
  bool faint = false;  // thin and pale, behind the others, e.g. a raw curve below its average
  // A thin grey line with dots behind all, without a name: what others are among.
  bool context = false;
};

struct ReferenceLine {
  double value = 0;
  std::string label{};
  bool vertical = false;
};

struct ChartAxis {
  std::string label{};
  std::string unit{};
  std::string remark{};  // after label and unit, e.g. "higher is better"
  AxisScale scale = AxisScale::kLinear;
  std::optional<double> minimum{};  // left out: from the data
  std::optional<double> maximum{};
};

/// A line or scatter chart as data. Points that have no place (infinite, NaN, not positive on a
/// logarithmic axis, outside a given range) are left out and counted in a note below the chart.
struct Chart {
  std::string title{};
  std::string subtitle{};
  std::string note{};  // below the chart
  ChartAxis x{};
  ChartAxis y{};
  std::vector<ChartSeries> series{};
  std::vector<ReferenceLine> references{};
  bool dodge = false;                // markers of several series at one x stand side by side
  std::vector<Position> frontier{};  // in data units; a broad pale line behind the data
  double width_px = 860;
  double height_px = 500;
  std::vector<std::string> provenance{};
};

/// The drawing of `chart`: series named at the ends of their lines, each with its own colour and
/// marker. Without any drawable point it says so. Errors: kConfig for an impossible size.
Canvas draw_chart(const Chart& chart);

/// Whether a drawing of it would show no point.
bool is_empty(const Chart& chart);

/// Title, provenance and a sentence that names axes and series.
FigureInfo chart_info(const Chart& chart);

}  // namespace kvscope
