#include "experiments/report/drawing/canvas.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "experiments/report/drawing/cairo_output.h"
#include "experiments/report/drawing/canvas_recording.h"
#include "experiments/report/text.h"

namespace kvscope {
namespace {

void stroke(cairo_t* context, const StrokeStyle& style) {
  set_source(context, style.colour);
  cairo_set_line_width(context, style.width_px);
  cairo_set_dash(context, style.dash_px.data(), static_cast<int>(style.dash_px.size()), 0);
  cairo_stroke(context);
}

void polygon_path(
    cairo_t* context, Position centre, double radius, int corners, double first_degrees) {
  for (int i = 0; i < corners; ++i) {
    const double angle = (first_degrees + 360.0 * i / corners) * std::numbers::pi / 180.0;
    cairo_line_to(context, centre.x + radius * std::cos(angle),
                  centre.y + radius * std::sin(angle));
  }
  cairo_close_path(context);
}

void cross_path(cairo_t* context, Position centre, double radius, double rotation) {
  const double arm = radius;
  const double half = radius * 0.34;
  const std::array<Position, 12> corners{{{-half, -arm},
                                          {half, -arm},
                                          {half, -half},
                                          {arm, -half},
                                          {arm, half},
                                          {half, half},
                                          {half, arm},
                                          {-half, arm},
                                          {-half, half},
                                          {-arm, half},
                                          {-arm, -half},
                                          {-half, -half}}};
  for (const Position& p : corners) {
    cairo_line_to(context, centre.x + p.x * std::cos(rotation) - p.y * std::sin(rotation),
                  centre.y + p.x * std::sin(rotation) + p.y * std::cos(rotation));
  }
  cairo_close_path(context);
}

void marker_path(cairo_t* context, Marker shape, Position centre, double size) {
  const double r = size / 2;  // the factors give the shapes equal area to the eye
  switch (shape) {
    case Marker::kCircle:
      cairo_arc(context, centre.x, centre.y, r, 0, 2 * std::numbers::pi);
      return;
    case Marker::kSquare:
      return polygon_path(context, centre, r * 1.22, 4, 45);
    case Marker::kTriangle:
      return polygon_path(context, {centre.x, centre.y + r * 0.12}, r * 1.3, 3, -90);
    case Marker::kDiamond:
      return polygon_path(context, centre, r * 1.28, 4, 0);
    case Marker::kTriangleDown:
      return polygon_path(context, {centre.x, centre.y - r * 0.12}, r * 1.3, 3, 90);
    case Marker::kCross:
      return cross_path(context, centre, r * 1.2, std::numbers::pi / 4);
    case Marker::kPlus:
      return cross_path(context, centre, r * 1.2, 0);
    case Marker::kPentagon:
      return polygon_path(context, centre, r * 1.14, 5, -90);
  }
}

}  // namespace

Marker marker_of(size_t series_index) {
  return static_cast<Marker>(series_index % 8);
}

Canvas::Canvas(double width_px, double height_px) : recording_(std::make_unique<Recording>()) {
  check_canvas_size(width_px, height_px);
  recording_->width = std::ceil(width_px);
  recording_->height = std::ceil(height_px);
  const cairo_rectangle_t extents{0, 0, recording_->width, recording_->height};
  recording_->surface.reset(cairo_recording_surface_create(CAIRO_CONTENT_COLOR_ALPHA, &extents));
  recording_->context.reset(cairo_create(recording_->surface.get()));
  cairo_t* context = recording_->context.get();
  check_cairo(cairo_status(context), "start a drawing");
  set_font_options(context);
  cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND);
  fill_rectangle({0, 0}, recording_->width, recording_->height, ink::kPaper);
}

Canvas::Canvas(Canvas&&) noexcept = default;
Canvas& Canvas::operator=(Canvas&&) noexcept = default;
Canvas::~Canvas() = default;

double Canvas::width_px() const {
  return recording_->width;
}
double Canvas::height_px() const {
  return recording_->height;
}

void Canvas::line(Position from, Position to, const StrokeStyle& style) {
  const std::array<Position, 2> points{from, to};
  polyline(points, style);
}

void Canvas::polyline(std::span<const Position> points, const StrokeStyle& style) {
  cairo_t* context = recording_->context.get();
  cairo_new_path(context);
  for (const Position& point : points) cairo_line_to(context, point.x, point.y);
  stroke(context, style);
}

void Canvas::fill_rectangle(Position corner, double width, double height, const InkColour& colour) {
  cairo_t* context = recording_->context.get();
  cairo_rectangle(context, corner.x, corner.y, width, height);
  set_source(context, colour);
  cairo_fill(context);
}

void Canvas::stroke_rectangle(Position corner,
                              double width,
                              double height,
                              const StrokeStyle& style) {
  cairo_rectangle(recording_->context.get(), corner.x, corner.y, width, height);
  stroke(recording_->context.get(), style);
}

void Canvas::marker(Marker shape,
                    Position centre,
                    double size_px,
                    const InkColour& fill,
                    const InkColour& outline) {
  cairo_t* context = recording_->context.get();
  cairo_new_path(context);
  marker_path(context, shape, centre, size_px);
  set_source(context, fill);
  cairo_fill_preserve(context);
  stroke(context, {.colour = outline, .width_px = 1.2, .dash_px = {}});
}

void Canvas::text(std::string_view text, Position anchor, const TextStyle& style) {
  RecordedText recorded{.text = printable(text), .style = style, .anchor = anchor, .begin = {}};
  recorded.width = text_width(text, style);
  if (style.anchor == TextAnchor::kMiddle) recorded.begin.x = -recorded.width / 2;
  if (style.anchor == TextAnchor::kEnd) recorded.begin.x = -recorded.width;
  // From the font's proportions, not this text's, so that a row of texts has one line.
  if (style.baseline == TextBaseline::kMiddle) recorded.begin.y = style.size_px * 0.36;
  if (style.baseline == TextBaseline::kTop) recorded.begin.y = style.size_px * 0.76;
  recording_->texts.push_back(std::move(recorded));
}

void Canvas::image(const Image& image, Position corner, int64_t magnification) {
  if (image.width < 1 || image.height < 1 || magnification < 1) return;
  cairo_t* context = recording_->context.get();
  const CairoSurface surface = image_surface(image, magnification);
  cairo_save(context);
  cairo_set_source_surface(context, surface.get(), corner.x, corner.y);
  cairo_pattern_set_filter(cairo_get_source(context), CAIRO_FILTER_NEAREST);
  cairo_rectangle(context, corner.x, corner.y, static_cast<double>(image.width * magnification),
                  static_cast<double>(image.height * magnification));
  cairo_fill(context);
  cairo_restore(context);
}

void Canvas::clip(Position corner, double width, double height) {
  cairo_t* context = recording_->context.get();
  cairo_save(context);
  cairo_rectangle(context, corner.x, corner.y, width, height);
  cairo_clip(context);
}

void Canvas::unclip() {
  cairo_restore(recording_->context.get());
}

double Canvas::text_width(std::string_view text, const TextStyle& style) const {
  cairo_t* context = recording_->context.get();
  set_font(context, style);
  cairo_text_extents_t extents;
  cairo_text_extents(context, printable(text).c_str(), &extents);
  return extents.x_advance;
}

std::vector<std::string> Canvas::wrapped(std::string_view text,
                                         const TextStyle& style,
                                         double width,
                                         size_t max_lines) const {
  struct Word {
    std::string text;
    bool continues = false;  // a piece of a word that was too long for one line
  };
  std::vector<Word> words(1);
  for (const char32_t c : decode_utf8(printable(text))) {
    const std::string letter = encode_utf8(c);
    if (c == ' ') {
      words.emplace_back();
    } else if (!words.back().text.empty() &&
               text_width(words.back().text + letter, style) > width) {
      words.push_back({letter, true});
    } else {
      words.back().text += letter;
    }
  }
  std::vector<std::string> lines;
  for (const Word& word : words) {
    if (word.text.empty()) continue;
    if (!lines.empty()) {
      const std::string longer = lines.back() + (word.continues ? "" : " ") + word.text;
      if (text_width(longer, style) <= width) {
        lines.back() = longer;
        continue;
      }
    }
    lines.push_back(word.text);
  }
  if (lines.empty()) lines.emplace_back();
  max_lines = std::max<size_t>(1, max_lines);
  if (lines.size() > max_lines) {
    lines.resize(max_lines);
    std::vector<char32_t> last = decode_utf8(lines.back());
    const auto with_ellipsis = [&last] {
      std::string line;
      for (const char32_t c : last) line += encode_utf8(c);
      return line.substr(0, line.find_last_not_of(' ') + 1) + "…";
    };
    while (!last.empty() && text_width(with_ellipsis(), style) > width) last.pop_back();
    lines.back() = with_ellipsis();
  }
  return lines;
}

}  // namespace kvscope
