#include "experiments/report/drawing/cairo_output.h"

#include <new>
#include <string>

#include "core/base/error.h"

namespace kvscope {

void check_cairo(cairo_status_t status, const char* doing) {
  if (status == CAIRO_STATUS_SUCCESS) return;
  throw Error(ErrorKind::kEnvironment, std::string("cannot ") + doing + ": Cairo says '" +
                                           cairo_status_to_string(status) + "'");
}

cairo_status_t append_bytes(void* closure, const unsigned char* data, unsigned length) {
  try {
    auto* bytes = static_cast<std::vector<std::byte>*>(closure);
    const auto* begin = reinterpret_cast<const std::byte*>(data);
    bytes->insert(bytes->end(), begin, begin + length);
    return CAIRO_STATUS_SUCCESS;
  } catch (const std::bad_alloc&) {  // must not cross Cairo's C frames
    return CAIRO_STATUS_NO_MEMORY;
  }
}

std::vector<std::byte> png_of(cairo_surface_t* surface) {
  std::vector<std::byte> bytes;
  check_cairo(cairo_surface_write_to_png_stream(surface, append_bytes, &bytes), "encode a PNG");
  return bytes;
}

}  // namespace kvscope
