#include "experiments/report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "experiments/report/chart_frame.h"
#include "experiments/report/label_layout.h"

namespace kvscope {
namespace {

constexpr double kOuter = 20;        // free space around everything
constexpr double kNameSpacing = 17;  // between the names of series
constexpr double kNameWidth = 190;   // the longest name before an ellipsis
constexpr double kMarkerSize = 9;
const TextStyle kName{.size_px = 11.5, .baseline = TextBaseline::kMiddle};
const TextStyle kPointLabel{.size_px = 10, .colour = ink::kSoft, .baseline = TextBaseline::kTop};
const TextStyle kNote{.size_px = 10, .colour = ink::kSoft};

InkColour line_colour(const ChartSeries& series, size_t index) {
  if (series.context) return ink::kMuted.with_alpha(0.7);
  return series.faint ? series_colour(index).with_alpha(0.35) : series_colour(index);
}

// A curve with far more points than pixels keeps, for each pixel column, its first, lowest, highest
// and last point: the same picture from a small file.
std::vector<Position> thinned(const std::vector<Position>& points) {
  std::vector<Position> kept;
  for (size_t begin = 0; begin < points.size();) {
    size_t end = begin + 1;
    while (end < points.size() && std::floor(points[end].x) == std::floor(points[begin].x)) ++end;
    if (end - begin <= 4) {
      kept.insert(kept.end(), points.begin() + begin, points.begin() + end);
    } else {
      const auto lower = [](const Position& a, const Position& b) { return a.y < b.y; };
      const auto [low, high] =
          std::minmax_element(points.begin() + begin, points.begin() + end, lower);
      kept.push_back(points[begin]);
      kept.push_back(*std::min(low, high));
      kept.push_back(*std::max(low, high));
      kept.push_back(points[end - 1]);
    }
    begin = end;
  }
  return kept;
}

void draw_lines(Canvas& canvas, const ChartFrame& frame, const ChartSeries& series, size_t index) {
  if (!series.connected) return;
  const bool thin = series.faint || series.context;
  StrokeStyle style{
      .colour = line_colour(series, index), .width_px = thin ? 1.0 : 1.9, .dash_px = {}};
  if (index >= series_colour_count() && !series.context)
    style.dash_px = {5, 3};  // colours repeat: tell apart by dashes
  StrokeStyle pale = style;
  pale.colour = style.colour.with_alpha(0.35);
  std::vector<Position> run;
  bool run_is_pale = false;
  const auto flush = [&] {
    if (run.size() > 1) canvas.polyline(thinned(run), run_is_pale ? pale : style);
    run.clear();
  };
  const ChartPoint* previous = nullptr;
  for (const ChartPoint& point : series.points) {
    if (!frame.contains(point)) {  // a gap, not a line across what is not there
      flush();
      previous = nullptr;
      continue;
    }
    if (previous != nullptr) {
      const bool is_pale = previous->muted || point.muted;
      if (run.empty() || is_pale != run_is_pale) {
        flush();
        run_is_pale = is_pale;
        run.push_back(frame.at(previous->x, previous->y));
      }
      run.push_back(frame.at(point.x, point.y));
    }
    previous = &point;
  }
  flush();
}

/// The ends of a point's error bar within the axis, in data units.
std::pair<double, double> error_bar(const ChartPoint& point, const ChartFrame& frame) {
  return {std::max(point.y_low, frame.y.minimum), std::min(point.y_high, frame.y.maximum)};
}

void draw_error_bars(Canvas& canvas,
                     const ChartFrame& frame,
                     const ChartSeries& series,
                     size_t index) {
  for (const ChartPoint& point : series.points) {
    if (series.context || !frame.contains(point) || !point.has_error_bar()) continue;
    const InkColour colour = point.muted ? ink::kMuted : series_colour(index);
    const StrokeStyle style{.colour = colour, .width_px = 1.2, .dash_px = {}};
    const auto [low, high] = error_bar(point, frame);
    const Position bottom = frame.at(point.x, low);
    const Position top = frame.at(point.x, high);
    canvas.line(bottom, top, style);
    if (low > frame.y.minimum)
      canvas.line({bottom.x - 3, bottom.y}, {bottom.x + 3, bottom.y}, style);
    if (high < frame.y.maximum) canvas.line({top.x - 3, top.y}, {top.x + 3, top.y}, style);
  }
}

void draw_markers(Canvas& canvas,
                  const ChartFrame& frame,
                  const ChartSeries& series,
                  size_t index) {
  if (!series.markers || series.context) return;
  for (const bool muted : {true, false}) {  // the points that matter on top
    for (const ChartPoint& point : series.points) {
      if (!frame.contains(point) || point.muted != muted) continue;
      canvas.marker(
          marker_of(index), frame.at(point.x, point.y), muted ? kMarkerSize - 1.5 : kMarkerSize,
          muted ? colour_of(0xD5D8DC) : series_colour(index), muted ? ink::kMuted : ink::kPaper);
    }
  }
}

struct ReferenceDrawing {
  Position from;
  Position to;
  Position label_at;
  TextStyle label;
  LabelBox label_box;
};

// Nothing where the line lies off the axes.
std::optional<ReferenceDrawing> reference_drawing(const Canvas& canvas,
                                                  const ChartFrame& frame,
                                                  const ReferenceLine& reference) {
  const AxisRange& axis = reference.vertical ? frame.x : frame.y;
  if (!axis.contains(reference.value)) return std::nullopt;
  ReferenceDrawing drawing;
  drawing.label = {.size_px = 10.5, .colour = ink::kSoft};
  const double width = canvas.text_width(reference.label, drawing.label);
  double left = frame.left + 6;
  if (reference.vertical) {
    const double x = frame.at(reference.value, frame.y.minimum).x;
    drawing.from = {x, frame.top};
    drawing.to = {x, frame.bottom()};
    const bool fits_right = x + 6 + width < frame.right();
    drawing.label.anchor = fits_right ? TextAnchor::kStart : TextAnchor::kEnd;
    drawing.label_at = {x + (fits_right ? 6 : -6), frame.top + 11};
    left = drawing.label_at.x - (fits_right ? 0 : width);
  } else {
    const double y = frame.at(frame.x.minimum, reference.value).y;
    drawing.from = {frame.left, y};
    drawing.to = {frame.right(), y};
    drawing.label_at = {left, y - 5};
  }
  const double size = drawing.label.size_px;  // descenders reach a quarter of it below the baseline
  drawing.label_box = {left, drawing.label_at.y - size, width, 1.25 * size};
  return drawing;
}

// What the labels of points must not cover: markers, error bars, lines, and reference lines with
// their labels.
void take_drawn(LabelPlaces& places,
                const Canvas& canvas,
                const ChartFrame& frame,
                const Chart& chart) {
  for (const ChartSeries& series : chart.series) {
    if (!series.markers || series.context) continue;
    const ChartPoint* previous = nullptr;
    for (const ChartPoint& point : series.points) {
      if (!frame.contains(point)) continue;
      const Position at = frame.at(point.x, point.y);
      places.take({at.x - 5, at.y - 5, 10, 10});
      if (series.connected && previous != nullptr) {
        places.take_segment(frame.at(previous->x, previous->y), at);
      }
      previous = &point;
      if (!point.has_error_bar()) continue;
      const auto [low, high] = error_bar(point, frame);
      places.take_segment(frame.at(point.x, high), frame.at(point.x, low));
    }
  }
  for (const ReferenceLine& line : chart.references) {
    const auto drawing = reference_drawing(canvas, frame, line);
    if (!drawing) continue;
    places.take_segment(drawing->from, drawing->to);
    if (!line.label.empty()) places.take(drawing->label_box);
  }
}

void draw_point_labels(Canvas& canvas, const ChartFrame& frame, const Chart& chart) {
  const auto has_label = [](const ChartPoint& point) { return !point.label.empty(); };
  if (std::none_of(chart.series.begin(), chart.series.end(), [&](const ChartSeries& series) {
        return std::any_of(series.points.begin(), series.points.end(), has_label);
      })) {
    return;
  }
  LabelPlaces places({frame.left, frame.top, frame.width, frame.height});
  take_drawn(places, canvas, frame, chart);
  for (const ChartSeries& series : chart.series) {
    for (const ChartPoint& point : series.points) {
      if (point.label.empty() || !frame.contains(point)) continue;
      const double width = canvas.text_width(point.label, kPointLabel);
      const auto box = places.place(frame.at(point.x, point.y), width, kPointLabel.size_px, 8);
      if (box) canvas.text(point.label, {box->left, box->top}, kPointLabel);
    }
  }
}

void draw_references(Canvas& canvas, const ChartFrame& frame, const Chart& chart) {
  const StrokeStyle style{.colour = ink::kSoft, .width_px = 1.2, .dash_px = {5, 4}};
  for (const ReferenceLine& reference : chart.references) {
    const auto drawing = reference_drawing(canvas, frame, reference);
    if (!drawing) continue;
    canvas.line(drawing->from, drawing->to, style);
    canvas.text(reference.label, drawing->label_at, drawing->label);
  }
}

// The names stand right of the plot at the height where their lines end, with their markers: legend
// and direct labels in one.
void draw_names(Canvas& canvas, const ChartFrame& frame, const Chart& chart) {
  struct Name {
    size_t series;
    Position end;
    bool has_end = false;
  };
  std::vector<Name> names;
  std::vector<double> heights;
  for (size_t i = 0; i < chart.series.size(); ++i) {
    if (chart.series[i].name.empty() || chart.series[i].context) continue;
    Name name{i, {frame.right(), frame.bottom()}, false};
    for (const ChartPoint& point : chart.series[i].points) {
      if (!frame.contains(point)) continue;
      const Position at = frame.at(point.x, point.y);
      if (!name.has_end || at.x >= name.end.x) name.end = at;
      name.has_end = true;
    }
    names.push_back(name);
    heights.push_back(name.end.y);
  }
  const std::vector<double> placed =
      spread_positions(heights, kNameSpacing, frame.top + 4, frame.bottom() - 4);
  for (size_t i = 0; i < names.size(); ++i) {
    const ChartSeries& series = chart.series[names[i].series];
    const InkColour colour = series_colour(names[i].series);
    const double x = frame.right() + 30;
    if (names[i].has_end && series.connected && !series.faint &&
        frame.right() - names[i].end.x < frame.width * 0.3) {
      const std::vector<Position> leader{
          {names[i].end.x + 7, names[i].end.y},
          {std::max(names[i].end.x + 7, frame.right() + 2), names[i].end.y},
          {x - 13, placed[i]}};
      canvas.polyline(leader,
                      {.colour = colour.with_alpha(0.6), .width_px = 0.9, .dash_px = {1, 3}});
    }
    if (series.connected) {
      canvas.line({x - 11, placed[i]}, {x + 11, placed[i]},
                  {.colour = line_colour(series, names[i].series), .width_px = 1.9, .dash_px = {}});
    }
    if (series.markers) {
      canvas.marker(marker_of(names[i].series), {x, placed[i]}, kMarkerSize - 1, colour,
                    ink::kPaper);
    }
    canvas.text(canvas.wrapped(series.name, kName, kNameWidth, 1)[0], {x + 17, placed[i]}, kName);
  }
}

double names_width(const Canvas& canvas, const Chart& chart) {
  double widest = 0;
  for (const ChartSeries& series : chart.series) {
    if (series.name.empty()) continue;
    const std::string name = canvas.wrapped(series.name, kName, kNameWidth, 1)[0];
    widest = std::max(widest, 47 + canvas.text_width(name, kName));
  }
  return widest;
}

std::string notes(const Chart& chart, const ChartFrame& frame) {
  int64_t left_out = 0;
  for (const ChartSeries& series : chart.series) {
    left_out += std::count_if(series.points.begin(), series.points.end(),
                              [&](const ChartPoint& point) { return !frame.contains(point); });
  }
  if (left_out == 0) return chart.note;
  return fmt::format("{}{}{} point{} not drawn: infinite or off the axes.", chart.note,
                     chart.note.empty() ? "" : " ", left_out, left_out == 1 ? "" : "s");
}

}  // namespace

FigureInfo chart_info(const Chart& chart) {
  std::string series;
  for (const ChartSeries& one : chart.series) {
    if (!one.name.empty()) series += (series.empty() ? "" : ", ") + one.name;
  }
  return {chart.title, fmt::format("{} against {}: {}", chart.y.label, chart.x.label, series),
          chart.provenance};
}

Canvas draw_chart(const Chart& chart) {
  const Canvas ruler(1, 1);
  const TextStyle title{.size_px = 15, .bold = true};
  const TextStyle subtitle{.size_px = 11.5, .colour = ink::kSoft};
  const double text_width = chart.width_px - 2 * kOuter;
  const double names_height = kNameSpacing * static_cast<double>(chart.series.size());

  double top = kOuter;
  std::vector<std::pair<std::string, Position>> titles;
  std::vector<std::string> subtitles;
  const double title_y = top + 14;
  if (!chart.title.empty()) top += 24;
  const double subtitle_y = top + 10;
  if (!chart.subtitle.empty()) {
    subtitles = ruler.wrapped(chart.subtitle, subtitle, text_width, 3);
    top += 17 * static_cast<double>(subtitles.size());
  }
  top += 32;  // the y axis' title

  ChartFrame frame;
  frame.top = top;
  const auto ranges = chart_ranges(chart);
  if (ranges) std::tie(frame.x, frame.y) = *ranges;
  const std::string note = notes(chart, frame);
  const double below = 54 + (note.empty() ? 0 : 20) + kOuter / 2;
  frame.height = std::max(chart.height_px - top - below, names_height);
  frame.left = kOuter + 10 + (ranges ? y_label_width(ruler, frame.y, frame.height) : 0);
  frame.width = chart.width_px - frame.left - kOuter - names_width(ruler, chart);

  Canvas canvas(chart.width_px, frame.bottom() + below);
  if (!chart.title.empty()) {
    canvas.text(canvas.wrapped(chart.title, title, text_width, 1)[0], {kOuter, title_y}, title);
  }
  for (size_t i = 0; i < subtitles.size(); ++i) {
    canvas.text(subtitles[i], {kOuter, subtitle_y + 17 * static_cast<double>(i)}, subtitle);
  }
  if (!ranges) {
    const TextStyle empty{.size_px = 13, .colour = ink::kMuted, .anchor = TextAnchor::kMiddle};
    canvas.text("no data", {chart.width_px / 2, frame.top + frame.height / 2}, empty);
    return canvas;
  }
  draw_chart_frame(canvas, frame, chart);
  std::vector<Position> frontier;
  for (const Position& point : chart.frontier) {
    if (frame.x.contains(point.x) && frame.y.contains(point.y)) {
      frontier.push_back(frame.at(point.x, point.y));
    }
  }
  if (frontier.size() > 1) {
    canvas.polyline(frontier, {.colour = colour_of(0xE4E9F0), .width_px = 7, .dash_px = {}});
  }
  draw_references(canvas, frame, chart);
  const auto lines = [&](bool context, bool faint) {
    for (size_t i = 0; i < chart.series.size(); ++i) {
      const ChartSeries& one = chart.series[i];
      if (one.context == context && one.faint == faint) draw_lines(canvas, frame, one, i);
    }
  };
  lines(true, false);
  lines(false, true);
  lines(false, false);
  for (size_t i = 0; i < chart.series.size(); ++i) {
    draw_error_bars(canvas, frame, chart.series[i], i);
  }
  for (size_t i = 0; i < chart.series.size(); ++i) draw_markers(canvas, frame, chart.series[i], i);
  draw_point_labels(canvas, frame, chart);
  draw_names(canvas, frame, chart);
  if (!note.empty()) {
    canvas.text(canvas.wrapped(note, kNote, text_width, 1)[0],
                {kOuter, canvas.height_px() - kOuter / 2 - 4}, kNote);
  }
  return canvas;
}

}  // namespace kvscope
