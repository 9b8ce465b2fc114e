#include "core/image/jpeg.h"

#include <fmt/format.h>

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
// Needs size_t and FILE from above.
#include <jpeglib.h>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr int64_t kMostPixels = int64_t{1} << 28;
constexpr int64_t kMostSide = 65500;  // libjpeg's JPEG_MAX_DIMENSION

/// libjpeg leaves through here instead of ending the program. What lives in a function that calls
/// setjmp is made before it, so that nothing is left undestroyed.
struct Failure {
  jpeg_error_mgr manager{};
  std::jmp_buf back{};
  char message[JMSG_LENGTH_MAX] = {};

  Failure() {
    jpeg_std_error(&manager);
    manager.error_exit = [](j_common_ptr info) {
      auto* failure = reinterpret_cast<Failure*>(info->err);
      info->err->format_message(info, failure->message);
      std::longjmp(failure->back, 1);  // NOLINT(cert-err52-cpp): libjpeg's interface
    };
    // A warning is damage: half a picture must not pass for a whole one.
    manager.emit_message = [](j_common_ptr info, int level) {
      if (level < 0) info->err->error_exit(info);
    };
  }
};

/// Whether it worked; `bytes` are malloc's.
bool compress(
    const Image& image, int quality, Failure& failure, unsigned char*& bytes, unsigned long& size) {
  jpeg_compress_struct info{};
  info.err = &failure.manager;
  if (setjmp(failure.back) != 0) {
    jpeg_destroy_compress(&info);
    return false;
  }
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    auto* row = const_cast<JSAMPLE*>(image.pixel(info.next_scanline, 0));  // read only
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  return true;
}

bool decompress(std::span<const std::byte> bytes, Failure& failure, Image& image) {
  jpeg_decompress_struct info{};
  info.err = &failure.manager;
  if (setjmp(failure.back) != 0) {
    jpeg_destroy_decompress(&info);
    return false;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&info, TRUE);
  if (static_cast<int64_t>(info.image_width) * info.image_height > kMostPixels) {
    std::snprintf(failure.message, sizeof(failure.message), "%u x %u pixels are too many",
                  info.image_width, info.image_height);
    jpeg_destroy_decompress(&info);
    return false;
  }
  info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&info);
  image = Image(info.output_height, info.output_width);
  while (info.output_scanline < info.output_height) {
    JSAMPLE* row = image.pixel(info.output_scanline, 0);
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return true;
}

}  // namespace

std::vector<std::byte> encode_jpeg(const Image& image, int quality) {
  if (image.height < 1 || image.width < 1 || image.height > kMostSide || image.width > kMostSide) {
    throw Error(ErrorKind::kInput, fmt::format("a JPEG of {} x {} pixels: expected 1 to {} a side",
                                               image.width, image.height, kMostSide));
  }
  if (quality < 1 || quality > 100) {
    throw Error(ErrorKind::kInput, fmt::format("a JPEG of quality {}: expected 1 to 100", quality));
  }
  Failure failure;
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const bool done = compress(image, quality, failure, bytes, size);
  std::vector<std::byte> result;
  if (done) {
    const auto* begin = reinterpret_cast<const std::byte*>(bytes);
    result.assign(begin, begin + size);
  }
  std::free(bytes);  // NOLINT(cppcoreguidelines-no-malloc): libjpeg's
  if (!done) {
    throw Error(ErrorKind::kInput, fmt::format("a JPEG cannot be made: {}", failure.message));
  }
  return result;
}

Image decode_jpeg(std::span<const std::byte> bytes, const std::string& origin) {
  Failure failure;
  Image image;
  if (!decompress(bytes, failure, image)) {
    throw Error(ErrorKind::kInput, fmt::format("{}: JPEG: {}", origin, failure.message));
  }
  return image;
}

}  // namespace kvscope
