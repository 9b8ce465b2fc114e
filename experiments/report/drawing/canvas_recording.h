#pragma once

// Private to the canvas: what a drawing consists of, shared by drawing and writing.
#include <string>
#include <vector>

#include "experiments/report/drawing/cairo_output.h"
#include "experiments/report/drawing/canvas.h"

namespace kvscope {

/// A line of text, kept beside the recording: an SVG shall hold it as text, which Cairo's does not.
/// It lies above all that is drawn.
struct RecordedText {
  std::string text;  ///< printable
  TextStyle style;
  Position anchor;
  Position begin;  ///< of the baseline, from the anchor, before the rotation
  double width = 0;
};

struct Canvas::Recording {
  double width = 0;
  double height = 0;
  CairoSurface surface;
  CairoContext context;
  std::vector<RecordedText> texts;

  /// All but the texts, each side `scale` times as long; leaves the context scaled.
  void paint(cairo_t* context, double scale) const;
};

/// Debian's default; fontconfig, or the viewer of an SVG, substitutes elsewhere.
inline constexpr const char* kCanvasFont = "DejaVu Sans";

void set_source(cairo_t* context, const InkColour& colour);
void set_font(cairo_t* context, const TextStyle& style);

/// Glyphs fall where the SVG puts them: no rounding to the pixels of one output.
void set_font_options(cairo_t* context);

/// Shows the texts; the context has a scale at most.
void draw_texts(cairo_t* context, const std::vector<RecordedText>& texts);

/// Throws kConfig unless both sides are in [1, 32000].
void check_canvas_size(double width_px, double height_px);

/// `image` as an image surface, each pixel magnification x magnification.
CairoSurface image_surface(const Image& image, int64_t magnification);

}  // namespace kvscope
