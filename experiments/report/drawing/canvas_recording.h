#pragma once

// Private to the canvas: what a drawing consists of, shared by drawing and writing.
#include "experiments/report/drawing/cairo_output.h"
#include "experiments/report/drawing/canvas.h"

namespace kvscope {

struct Canvas::Recording {
  double width = 0;
  double height = 0;
  CairoSurface surface;
  CairoContext context;
};

/// Throws kConfig unless both sides are in [1, 32000].
void check_canvas_size(double width_px, double height_px);

/// `picture` as an image surface, each pixel magnification x magnification.
CairoSurface picture_surface(const Picture& picture, int64_t magnification);

}  // namespace kvscope
