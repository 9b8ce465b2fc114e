#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/image.h"
#include "experiments/report/drawing/colours.h"

namespace kvscope {

/// What an image file says about itself: shown by viewers and screen readers, and the points its
/// numbers came from.
struct FigureInfo {
  std::string title{};
  std::string description{};
  std::vector<std::string> provenance{};
};

struct Position {
  double x = 0;
  double y = 0;
};

enum class TextAnchor { kStart, kMiddle, kEnd };
enum class TextBaseline { kAlphabetic, kMiddle, kTop };

struct TextStyle {
  double size_px = 11;
  bool bold = false;
  InkColour colour = ink::kText;
  TextAnchor anchor = TextAnchor::kStart;
  TextBaseline baseline = TextBaseline::kAlphabetic;
  double rotation_degrees = 0;  // counter-clockwise about the anchor
};

struct StrokeStyle {
  InkColour colour = ink::kText;
  double width_px = 1;
  std::vector<double> dash_px{};  // empty: solid
};

/// Shapes that stay apart without colour; `marker_of` cycles through them.
enum class Marker {
  kCircle,
  kSquare,
  kTriangle,
  kDiamond,
  kTriangleDown,
  kCross,
  kPlus,
  kPentagon
};
Marker marker_of(size_t series_index);

/// A drawing, recorded once and written as SVG, PNG or PDF alike. Coordinates in pixels of the
/// unscaled image, y down. Text may be any bytes (see `printable`). Moveable, not copyable.
class Canvas {
 public:
  /// Errors: kConfig when a side is not in [1, 32000] (Cairo's limit is 32767).
  Canvas(double width_px, double height_px);
  Canvas(Canvas&&) noexcept;
  Canvas& operator=(Canvas&&) noexcept;
  ~Canvas();

  [[nodiscard]] double width_px() const;
  [[nodiscard]] double height_px() const;

  void line(Position from, Position to, const StrokeStyle& style);
  void polyline(std::span<const Position> points, const StrokeStyle& style);
  void fill_rectangle(Position corner, double width, double height, const InkColour& colour);
  void stroke_rectangle(Position corner, double width, double height, const StrokeStyle& style);
  /// `size_px` is the diameter. `outline` sets it off from what lies below.
  void marker(Marker shape,
              Position centre,
              double size_px,
              const InkColour& fill,
              const InkColour& outline);
  void text(std::string_view text, Position anchor, const TextStyle& style);
  /// Each pixel of `image` becomes magnification x magnification pixels, without smoothing.
  void image(const Image& image, Position corner, int64_t magnification);
  /// What follows is drawn inside the rectangle only, until `unclip`.
  void clip(Position corner, double width, double height);
  void unclip();

  /// Advance width of one line of text in pixels.
  [[nodiscard]] double text_width(std::string_view text, const TextStyle& style) const;
  /// `text` in lines no wider than `width`, broken at spaces (a longer word anywhere); beyond
  /// `max_lines` the last line ends in an ellipsis. At least one line.
  [[nodiscard]] std::vector<std::string> wrapped(std::string_view text,
                                                 const TextStyle& style,
                                                 double width,
                                                 size_t max_lines) const;

  /// The drawing as a file's bytes, each side `scale` times as long. Text is text in SVG and PDF.
  /// SVG carries <title>, <desc> and <metadata>; PNG text entries Title, Description, Source
  /// (provenance) and Software; PDF title, subject and keywords (provenance). Errors: kEnvironment
  /// when memory runs out.
  [[nodiscard]] std::string svg(const FigureInfo& info, double scale = 1) const;
  [[nodiscard]] std::string png(const FigureInfo& info, double scale = 1) const;
  [[nodiscard]] std::string pdf(const FigureInfo& info, double scale = 1) const;

  /// As the extension says (.svg, .png, .pdf), whole or not at all; missing folders are created
  /// (see AtomicFile). Errors: kEnvironment; kConfig for another extension.
  void write(const std::filesystem::path& path, const FigureInfo& info, double scale = 1) const;

 private:
  struct Recording;
  std::unique_ptr<Recording> recording_;
};

/// Writes a figure for people: as Canvas::write() with `scale`, times 2 where it is made of pixels.
void write_figure(const Canvas& canvas,
                  const std::filesystem::path& path,
                  const FigureInfo& info,
                  double scale = 1);

/// Throws kConfig unless Canvas::write() takes the extension.
void check_figure_path(const std::filesystem::path& path);

/// An image alone as PNG bytes, e.g. to embed in a page. Errors: kInput when it has no pixels.
std::string image_png(const Image& image, const FigureInfo& info);

}  // namespace kvscope
