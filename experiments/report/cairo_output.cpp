#include "experiments/report/cairo_output.h"

#include <new>

#include "core/base/error.h"

namespace kvscope {

void check_cairo(cairo_status_t status, const char* doing) {
  if (status == CAIRO_STATUS_SUCCESS) return;
  throw Error(ErrorKind::kEnvironment, std::string("cannot ") + doing + ": Cairo says '" +
                                           cairo_status_to_string(status) + "'");
}

cairo_status_t append_to_string(void* closure, const unsigned char* data, unsigned length) {
  try {
    static_cast<std::string*>(closure)->append(reinterpret_cast<const char*>(data), length);
    return CAIRO_STATUS_SUCCESS;
  } catch (const std::bad_alloc&) {  // must not cross Cairo's C frames
    return CAIRO_STATUS_NO_MEMORY;
  }
}

std::string png_of(cairo_surface_t* surface) {
  std::string bytes;
  check_cairo(cairo_surface_write_to_png_stream(surface, append_to_string, &bytes), "encode a PNG");
  return bytes;
}

}  // namespace kvscope
