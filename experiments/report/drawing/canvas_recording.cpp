#include "experiments/report/drawing/canvas_recording.h"

#include <fmt/format.h>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr double kLargestSide = 32000;  // Cairo's own limit is 32767

}  // namespace

void check_canvas_size(double width_px, double height_px) {
  if (width_px >= 1 && height_px >= 1 && width_px <= kLargestSide && height_px <= kLargestSide)
    return;
  throw Error(
      ErrorKind::kConfig,
      fmt::format("a drawing of {:.0f} x {:.0f} pixels: each side must be from 1 to {:.0f}; "
                  "draw fewer rows or columns, or magnify less",
                  width_px, height_px, kLargestSide));
}

CairoSurface picture_surface(const Picture& picture, int64_t magnification) {
  const int64_t width = picture.width * magnification;
  const int64_t height = picture.height * magnification;
  check_canvas_size(static_cast<double>(width), static_cast<double>(height));
  CairoSurface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(width),
                                                  static_cast<int>(height)));
  check_cairo(cairo_surface_status(surface.get()), "hold a picture");
  cairo_surface_flush(surface.get());
  unsigned char* data = cairo_image_surface_get_data(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  for (int64_t y = 0; y < height; ++y) {
    auto* row = reinterpret_cast<uint32_t*>(data + y * stride);
    for (int64_t x = 0; x < width; ++x) {
      const uint8_t* rgb = picture.pixel(y / magnification, x / magnification);
      row[x] =
          (static_cast<uint32_t>(rgb[0]) << 16) | (static_cast<uint32_t>(rgb[1]) << 8) | rgb[2];
    }
  }
  cairo_surface_mark_dirty(surface.get());
  return surface;
}

}  // namespace kvscope
