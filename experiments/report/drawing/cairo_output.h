#pragma once

#include <cairo.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace kvscope {

struct CairoDelete {
  void operator()(cairo_t* context) const { cairo_destroy(context); }
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
using CairoContext = std::unique_ptr<cairo_t, CairoDelete>;
using CairoSurface = std::unique_ptr<cairo_surface_t, CairoDelete>;

/// Throws kEnvironment with Cairo's words and `doing` ("draw a PNG") unless `status` is success.
void check_cairo(cairo_status_t status, const char* doing);

/// Cairo write callback; `closure` is a std::vector<std::byte> that takes the bytes.
cairo_status_t append_bytes(void* closure, const unsigned char* data, unsigned length);

/// `surface` as PNG bytes without text entries.
std::vector<std::byte> png_of(cairo_surface_t* surface);

}  // namespace kvscope
