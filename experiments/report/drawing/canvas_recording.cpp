#include "experiments/report/drawing/canvas_recording.h"

#include <fmt/format.h>

#include <numbers>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr double kLargestSide = 32000;  // Cairo's own limit is 32767

}  // namespace

void set_source(cairo_t* context, const InkColour& c) {
  cairo_set_source_rgba(context, c.red, c.green, c.blue, c.alpha);
}

void set_font(cairo_t* context, const TextStyle& style) {
  cairo_select_font_face(context, kCanvasFont, CAIRO_FONT_SLANT_NORMAL,
                         style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(context, style.size_px);
}

void set_font_options(cairo_t* context) {
  cairo_font_options_t* options = cairo_font_options_create();
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
  cairo_set_font_options(context, options);
  cairo_font_options_destroy(options);
}

void Canvas::Recording::paint(cairo_t* to, double scale) const {
  cairo_scale(to, scale, scale);
  cairo_set_source_surface(to, surface.get(), 0, 0);
  cairo_paint(to);
}

void draw_texts(cairo_t* context, const std::vector<RecordedText>& texts) {
  set_font_options(context);
  for (const RecordedText& text : texts) {
    cairo_save(context);
    set_font(context, text.style);
    cairo_translate(context, text.anchor.x, text.anchor.y);
    cairo_rotate(context, -text.style.rotation_degrees * std::numbers::pi / 180.0);
    cairo_move_to(context, text.begin.x, text.begin.y);
    set_source(context, text.style.colour);
    cairo_show_text(context, text.text.c_str());
    cairo_restore(context);
  }
}

void check_canvas_size(double width_px, double height_px) {
  if (width_px >= 1 && height_px >= 1 && width_px <= kLargestSide && height_px <= kLargestSide)
    return;
  throw Error(
      ErrorKind::kConfig,
      fmt::format("a drawing of {:.0f} x {:.0f} pixels: each side must be from 1 to {:.0f}; "
                  "draw fewer rows or columns, or magnify less",
                  width_px, height_px, kLargestSide));
}

CairoSurface image_surface(const Image& image, int64_t magnification) {
  const int64_t width = image.width * magnification;
  const int64_t height = image.height * magnification;
  check_canvas_size(static_cast<double>(width), static_cast<double>(height));
  CairoSurface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(width),
                                                  static_cast<int>(height)));
  check_cairo(cairo_surface_status(surface.get()), "hold an image");
  cairo_surface_flush(surface.get());
  unsigned char* data = cairo_image_surface_get_data(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  for (int64_t y = 0; y < height; ++y) {
    auto* row = reinterpret_cast<uint32_t*>(data + y * stride);
    for (int64_t x = 0; x < width; ++x) {
      const uint8_t* rgb = image.pixel(y / magnification, x / magnification);
      row[x] =
          (static_cast<uint32_t>(rgb[0]) << 16) | (static_cast<uint32_t>(rgb[1]) << 8) | rgb[2];
    }
  }
  cairo_surface_mark_dirty(surface.get());
  return surface;
}

}  // namespace kvscope
