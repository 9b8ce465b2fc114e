#include "core/image/png.h"

#include <fmt/format.h>
#include <png.h>

#include <memory>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/image/png_text.h"

namespace kvscope {
namespace {

constexpr int64_t kMaxPixels = int64_t{1} << 28;
constexpr int64_t kMaxSide = 1'000'000;  // libpng's own limit

// libpng's whole-png interface reports errors by value; its row interface would longjmp over the
// destructors of everything here.
struct ImageRelease {
  void operator()(png_image* png) const { png_image_free(png); }
};

}  // namespace

std::vector<std::byte> encode_png(const Image& image, const PngText& text) {
  if (image.height < 1 || image.width < 1 || image.height > kMaxSide || image.width > kMaxSide ||
      image.height * image.width > kMaxPixels ||
      static_cast<int64_t>(image.rgb.size()) != image.height * image.width * 3) {
    throw Error(ErrorKind::kInput, fmt::format("cannot write a PNG of {} x {} pixels from {} bytes",
                                               image.height, image.width, image.rgb.size()));
  }
  png_image png{};
  const std::unique_ptr<png_image, ImageRelease> release(&png);
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = PNG_FORMAT_RGB;
  png_alloc_size_t size_bytes = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::vector<std::byte> bytes(size_bytes);
  if (png_image_write_to_memory(&png, bytes.data(), &size_bytes, 0, image.rgb.data(), 0, nullptr) ==
      0) {
    throw Error(ErrorKind::kInput, fmt::format("cannot write a PNG: {}", png.message));
  }
  bytes.resize(size_bytes);
  insert_png_text(bytes, text);
  return bytes;
}

PngContent decode_png(std::span<const std::byte> bytes, const std::string& origin) {
  png_image png{};
  const std::unique_ptr<png_image, ImageRelease> release(&png);
  png.version = PNG_IMAGE_VERSION;
  const auto refuse = [&] {
    throw Error(ErrorKind::kInput, fmt::format("{}: not a whole PNG: {}", origin, png.message));
  };
  if (png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) == 0) refuse();
  const int64_t pixels = static_cast<int64_t>(png.height) * png.width;
  if (pixels > kMaxPixels) {
    throw Error(ErrorKind::kInput, fmt::format("{}: {} x {} pixels exceed the limit of {}", origin,
                                               png.height, png.width, kMaxPixels));
  }
  png.format = PNG_FORMAT_RGB;
  PngContent content{Image(png.height, png.width), {}};
  const png_color black{};
  if (png_image_finish_read(&png, &black, content.image.rgb.data(), 0, nullptr) == 0) refuse();
  content.text = extract_png_text(bytes, origin);
  return content;
}

void write_png(const std::filesystem::path& path, const Image& image, const PngText& text) {
  const std::vector<std::byte> bytes = encode_png(image, text);
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

bool is_whole_png(const std::filesystem::path& path) {
  try {
    const MappedFile file(path);
    return chunks_are_whole(file.bytes());
  } catch (const Error&) {
    return false;
  }
}

PngContent read_png(const std::filesystem::path& path) {
  const MappedFile file(path);
  return decode_png(file.bytes(), path.string());
}

}  // namespace kvscope
