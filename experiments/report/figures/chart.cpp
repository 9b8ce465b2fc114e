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
// The longest name before an ellipsis, in pixels and as a part of the chart.
constexpr double kNameWidth = 190;
constexpr double kNamePart = 0.3;
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
// and last point: the same image from a small file.
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
  std::vector<Position> run;
  const auto flush = [&] {
    if (run.size() > 1) canvas.polyline(thinned(run), style);
    run.clear();
  };
  for (const ChartPoint& point : series.points) {
    if (frame.contains(point)) {
      run.push_back(frame.at(point.x, point.y));
    } else {
      flush();  // a gap, not a line across what is not there
    }
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
    const StrokeStyle style{.colour = series_colour(index), .width_px = 1.2, .dash_px = {}};
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
  if (!series.markers) return;
  constexpr double kContextSize = 4;  // a dot: of one point there is no line
  for (const ChartPoint& point : series.points) {
    if (!frame.contains(point)) continue;
    const Position at = frame.at(point.x, point.y);
    if (series.context) {
      canvas.marker(Marker::kCircle, at, kContextSize, line_colour(series, index),
                    line_colour(series, index));
    } else {
      canvas.marker(marker_of(index), at, kMarkerSize, series_colour(index), ink::kPaper);
    }
  }
}

/// Points of several series that would hide each other, side by side around where they belong.
Chart dodged(Chart chart, const ChartFrame& frame) {
  constexpr double kSamePlace = 2;  // pixels
  constexpr double kStep = 7;
  struct Placed {
    double pixel;
    ChartPoint* point;
  };
  std::vector<Placed> placed;  // by series, as drawn
  for (ChartSeries& series : chart.series) {
    for (ChartPoint& point : series.points) {
      if (!series.context && frame.contains(point)) {
        placed.push_back({frame.at(point.x, point.y).x, &point});
      }
    }
  }
  std::ranges::stable_sort(placed, std::ranges::less{}, &Placed::pixel);
  for (size_t begin = 0; begin < placed.size();) {
    size_t end = begin + 1;
    while (end < placed.size() && placed[end].pixel - placed[begin].pixel <= kSamePlace) ++end;
    for (size_t i = begin; i < end; ++i) {
      const double middle = static_cast<double>(end - begin - 1) / 2;
      const double shift = (static_cast<double>(i - begin) - middle) * kStep;
      const double fraction = frame.x.fraction(placed[i].point->x) + shift / frame.width;
      placed[i].point->x = frame.x.value(std::clamp(fraction, 0.0, 1.0));
    }
    begin = end;
  }
  return chart;
}

// Height of a line of text: descenders reach a quarter of its size below the baseline.
double line_height(const TextStyle& style) {
  return 1.25 * style.size_px;
}

struct ReferenceDrawing {
  Position from;
  Position to;
  std::string text;
  std::optional<LabelBox> label;  // none: nowhere is it free of everything
};

// How far along a line its label may stand: the ends first, then ever finer between.
constexpr double kParts[] = {0.0,    1.0,    0.25,   0.5,    0.75,   0.125,  0.375,  0.625, 0.875,
                             0.0625, 0.1875, 0.3125, 0.4375, 0.5625, 0.6875, 0.8125, 0.9375};

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
    for (const double part : kParts) {
      const double top = frame.top + 0.5 + part * room;
      boxes.push_back({fits_right ? right : left, top, width, height});
      boxes.push_back({fits_right ? left : right, top, width, height});
    }
  } else {
    const double above = line.from.y - 5 - kReferenceText.size_px;
    const double below = line.from.y + 3;
    const double room = frame.width - width - 12;
    for (const double part : kParts) {
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
    drawings[i].label = places.take_first(label_candidates(frame, drawings[i], vertical[i], width));
  }
  return drawings;
}

// What labels must not cover: markers, error bars and lines.
void take_series(LabelPlaces& places, const ChartFrame& frame, const Chart& chart) {
  for (const ChartSeries& series : chart.series) {
    if (!series.markers) continue;
    const ChartPoint* previous = nullptr;
    for (const ChartPoint& point : series.points) {
      if (!frame.contains(point)) continue;
      const Position at = frame.at(point.x, point.y);
      places.take({at.x - 5, at.y - 5, 10, 10});
      if (series.connected && previous != nullptr) {
        places.take_segment(frame.at(previous->x, previous->y), at);
      }
      previous = &point;
      if (series.context || !point.has_error_bar()) continue;
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
    if (!drawing.label) continue;
    canvas.text(drawing.text, {drawing.label->left, drawing.label->top + kReferenceText.size_px},
                kReferenceText);
  }
}

double name_limit(const Chart& chart) {
  return std::min(kNameWidth, kNamePart * chart.width_px);
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
    canvas.text(canvas.wrapped(series.name, kName, name_limit(chart), 1)[0], {x + 17, placed[i]},
                kName);
  }
}

double names_width(const Canvas& canvas, const Chart& chart) {
  double widest = 0;
  for (const ChartSeries& series : chart.series) {
    if (series.name.empty()) continue;
    const std::string name = canvas.wrapped(series.name, kName, name_limit(chart), 1)[0];
    widest = std::max(widest, 47 + canvas.text_width(name, kName));
  }
  return widest;
}

std::string notes(const Chart& chart, const ChartFrame& frame, const std::string& unplaced) {
  int64_t left_out = 0;
  for (const ChartSeries& series : chart.series) {
    left_out += std::count_if(series.points.begin(), series.points.end(),
                              [&](const ChartPoint& point) { return !frame.contains(point); });
  }
  std::string text = chart.note;
  const auto add = [&text](const std::string& sentence) {
    text += (text.empty() ? "" : " ") + sentence;
  };
  if (!unplaced.empty()) add(fmt::format("Dashed: {}.", unplaced));
  if (left_out > 0) {
    add(fmt::format("{} point{} not drawn: infinite or off the axes.", left_out,
                    left_out == 1 ? "" : "s"));
  }
  return text;
}

/// A chart drawn, and the labels of reference lines that have no free place in it.
struct Drawn {
  Canvas canvas;
  std::string unplaced;
};

Drawn draw(const Chart& whole, const std::string& unplaced_before) {
  const Canvas ruler(1, 1);
  const TextStyle title{.size_px = 15, .bold = true};
  const TextStyle subtitle{.size_px = 11.5, .colour = ink::kSoft};
  const double text_width = whole.width_px - 2 * kOuter;
  const double names_height = kNameSpacing * static_cast<double>(whole.series.size());

  double top = kOuter;
  std::vector<std::string> subtitles;
  const double title_y = top + 14;
  if (!whole.title.empty()) top += 24;
  const double subtitle_y = top + 10;
  if (!whole.subtitle.empty()) {
    subtitles = ruler.wrapped(whole.subtitle, subtitle, text_width, 3);
    top += 17 * static_cast<double>(subtitles.size());
  }
  top += 32;  // the y axis' title

  ChartFrame frame;
  frame.top = top;
  const auto ranges = chart_ranges(whole);
  if (ranges) std::tie(frame.x, frame.y) = *ranges;
  constexpr size_t kNoteLines = 3;
  constexpr double kNoteLine = 14;
  const std::string note = notes(whole, frame, unplaced_before);
  std::vector<std::string> note_lines;
  if (!note.empty()) note_lines = ruler.wrapped(note, kNote, text_width, kNoteLines);
  const double note_height = kNoteLine * static_cast<double>(note_lines.size());
  const double below = 54 + (note.empty() ? 0 : 6 + note_height) + kOuter / 2;
  frame.height = std::max(whole.height_px - top - below, names_height);
  frame.left = kOuter + 10 + (ranges ? y_label_width(ruler, frame.y, frame.height) : 0);
  frame.width = whole.width_px - frame.left - kOuter - names_width(ruler, whole);

  Canvas canvas(whole.width_px, frame.bottom() + below);
  if (!whole.title.empty()) {
    canvas.text(canvas.wrapped(whole.title, title, text_width, 1)[0], {kOuter, title_y}, title);
  }
  for (size_t i = 0; i < subtitles.size(); ++i) {
    canvas.text(subtitles[i], {kOuter, subtitle_y + 17 * static_cast<double>(i)}, subtitle);
  }
  if (!ranges) {
    const TextStyle empty{.size_px = 13, .colour = ink::kMuted, .anchor = TextAnchor::kMiddle};
    canvas.text("no data", {whole.width_px / 2, frame.top + frame.height / 2}, empty);
    return {std::move(canvas), ""};
  }
  draw_chart_frame(canvas, frame, whole);
  const Chart chart = whole.dodge ? dodged(whole, frame) : whole;
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
  const std::vector<ReferenceDrawing> references = place_references(places, canvas, frame, chart);
  draw_references(canvas, references);
  std::string unplaced;
  for (const ReferenceDrawing& reference : references) {
    if (reference.label || reference.text.empty()) continue;
    unplaced += (unplaced.empty() ? "" : "; ") + reference.text;
  }
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
  for (const bool context : {true, false}) {
    for (size_t i = 0; i < chart.series.size(); ++i) {
      if (chart.series[i].context == context) draw_markers(canvas, frame, chart.series[i], i);
    }
  }
  draw_point_labels(canvas, places, frame, chart);
  draw_names(canvas, frame, chart);
  for (size_t i = 0; i < note_lines.size(); ++i) {
    const double from_below =
        kOuter / 2 + 4 + kNoteLine * static_cast<double>(note_lines.size() - 1 - i);
    canvas.text(note_lines[i], {kOuter, canvas.height_px() - from_below}, kNote);
  }
  return {std::move(canvas), std::move(unplaced)};
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
  Drawn drawn = draw(chart, "");
  return drawn.unplaced.empty() ? std::move(drawn.canvas) : draw(chart, drawn.unplaced).canvas;
}

bool is_empty(const Chart& chart) {
  return !chart_ranges(chart).has_value();
}

}  // namespace kvscope
