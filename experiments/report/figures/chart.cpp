#include "experiments/report/figures/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "experiments/report/figures/chart_frame.h"
#include "experiments/report/figures/label_layout.h"

namespace kvscope {
namespace {

constexpr double kOuter = 20;        // free space around everything
constexpr double kNameSpacing = 17;  // between the names of series
constexpr double kNameWidth = 190;   // the longest name before an ellipsis
constexpr double kMarkerSize = 9;
const TextStyle kName{.size_px = 11.5, .baseline = TextBaseline::kMiddle};
const TextStyle kPointLabel{.size_px = 10, .colour = ink::kSoft, .baseline = TextBaseline::kTop};
const TextStyle kReferenceText{.size_px = 10.5, .colour = ink::kSoft};
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

// Height of a line of text: descenders reach a quarter of its size below the baseline.
double line_height(const TextStyle& style) {
  return 1.25 * style.size_px;
}

struct ReferenceDrawing {
  Position from;
  Position to;
  std::string text;
  LabelBox label;
};

// Where a reference line's label may stand, the usual place first: along a horizontal line above
// its left end, at a vertical one right of its upper end, or left where the frame ends too soon.
std::vector<LabelBox> label_candidates(const ChartFrame& frame,
                                       const ReferenceDrawing& line,
                                       bool vertical,
                                       double width) {
  const double height = line_height(kReferenceText);
  std::vector<LabelBox> boxes;
  if (vertical) {
    const double right = line.from.x + 6;
    const double left = line.from.x - 6 - width;
    const bool fits_right = right + width < frame.right();
    const double room = frame.height - height - 6;
    for (const double part : {0.0, 1.0, 0.25, 0.5, 0.75}) {
      const double top = frame.top + 0.5 + part * room;
      boxes.push_back({fits_right ? right : left, top, width, height});
      boxes.push_back({fits_right ? left : right, top, width, height});
    }
  } else {
    const double above = line.from.y - 5 - kReferenceText.size_px;
    const double below = line.from.y + 3;
    const double room = frame.width - width - 12;
    for (const double part : {0.0, 1.0, 0.25, 0.5, 0.75}) {
      const double left = frame.left + 6 + part * room;
      boxes.push_back({left, above, width, height});
      boxes.push_back({left, below, width, height});
    }
  }
  return boxes;
}

// The reference lines that lie within the axes, their labels where nothing else is; both are taken.
std::vector<ReferenceDrawing> place_references(LabelPlaces& places,
                                               const Canvas& canvas,
                                               const ChartFrame& frame,
                                               const Chart& chart) {
  std::vector<ReferenceDrawing> drawings;
  std::vector<bool> vertical;
  for (const ReferenceLine& reference : chart.references) {
    const AxisRange& axis = reference.vertical ? frame.x : frame.y;
    if (!axis.contains(reference.value)) continue;
    ReferenceDrawing drawing;
    drawing.text = reference.label;
    if (reference.vertical) {
      const double x = frame.at(reference.value, frame.y.minimum).x;
      drawing.from = {x, frame.top};
      drawing.to = {x, frame.bottom()};
    } else {
      const double y = frame.at(frame.x.minimum, reference.value).y;
      drawing.from = {frame.left, y};
      drawing.to = {frame.right(), y};
    }
    places.take_segment(drawing.from, drawing.to);
    drawings.push_back(drawing);
    vertical.push_back(reference.vertical);
  }
  for (size_t i = 0; i < drawings.size(); ++i) {
    if (drawings[i].text.empty()) continue;
    const double width = canvas.text_width(drawings[i].text, kReferenceText);
    const std::vector<LabelBox> candidates =
        label_candidates(frame, drawings[i], vertical[i], width);
    const auto free = places.take_first(candidates);
    drawings[i].label = free.value_or(candidates.front());
    if (!free) places.take(drawings[i].label);  // it has to stand somewhere; others keep off
  }
  return drawings;
}

// What labels must not cover: markers, error bars and lines.
void take_series(LabelPlaces& places, const ChartFrame& frame, const Chart& chart) {
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
}

void draw_point_labels(Canvas& canvas,
                       LabelPlaces& places,
                       const ChartFrame& frame,
                       const Chart& chart) {
  for (const ChartSeries& series : chart.series) {
    for (const ChartPoint& point : series.points) {
      if (point.label.empty() || !frame.contains(point)) continue;
      const double width = canvas.text_width(point.label, kPointLabel);
      const auto box = places.place(frame.at(point.x, point.y), width, line_height(kPointLabel), 8);
      if (box) canvas.text(point.label, {box->left, box->top}, kPointLabel);
    }
  }
}

void draw_references(Canvas& canvas, const std::vector<ReferenceDrawing>& drawings) {
  const StrokeStyle style{.colour = ink::kSoft, .width_px = 1.2, .dash_px = {5, 4}};
  for (const ReferenceDrawing& drawing : drawings) {
    canvas.line(drawing.from, drawing.to, style);
    if (drawing.text.empty()) continue;
    canvas.text(drawing.text, {drawing.label.left, drawing.label.top + kReferenceText.size_px},
                kReferenceText);
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
  LabelPlaces places({frame.left, frame.top, frame.width, frame.height});
  take_series(places, frame, chart);
  draw_references(canvas, place_references(places, canvas, frame, chart));
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
  draw_point_labels(canvas, places, frame, chart);
  draw_names(canvas, frame, chart);
  if (!note.empty()) {
    canvas.text(canvas.wrapped(note, kNote, text_width, 1)[0],
                {kOuter, canvas.height_px() - kOuter / 2 - 4}, kNote);
  }
  return canvas;
}

}  // namespace kvscope
