#include "experiments/judges/export_writer.h"

#include <ATen/Parallel.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <mutex>
#include <optional>
#include <set>

#include "core/base/error.h"
#include "core/image/jpeg.h"
#include "core/image/picture_header.h"
#include "core/image/png.h"
#include "core/npz/npz_writer.h"
#include "experiments/judges/folder_reading.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

std::vector<ImageTile> tiles_of(const ExportPlan& plan) {
  std::vector<ImageTile> tiles;
  for (const PlannedPicture& picture : plan.pictures) {
    tiles.insert(tiles.end(), picture.tiles.begin(), picture.tiles.end());
  }
  if (plan.archive) {
    tiles.insert(tiles.end(), plan.archive->tiles.begin(), plan.archive->tiles.end());
  }
  return tiles;
}

void write_bytes(const fs::path& path, std::span<const std::byte> bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (file) return;
  throw Error(ErrorKind::kEnvironment,
              fmt::format("{}: cannot be written: {}", path.string(), std::strerror(errno)));
}

/// Four images of one size, row by row, side by side without a border.
Image tiled(const std::vector<Image>& images) {
  const int64_t height = images.front().height;
  const int64_t width = images.front().width;
  Image result(2 * height, 2 * width);
  for (size_t i = 0; i < images.size(); ++i) {
    const auto top = static_cast<int64_t>(i / 2) * height;
    const auto left = static_cast<int64_t>(i % 2) * width;
    for (int64_t y = 0; y < height; ++y) {
      std::memcpy(result.pixel(top + y, left), images[i].pixel(y, 0),
                  static_cast<size_t>(width) * 3);
    }
  }
  return result;
}

void write_picture(const PlannedPicture& picture,
                   const TileFile& file_of,
                   const fs::path& path,
                   int jpeg_quality) {
  if (picture.tiles.size() == 1 && !picture.is_jpeg) {
    const fs::path source = file_of(picture.tiles.front());
    const auto header = picture_size(source);
    if (header && header->mode == "RGB" && header->bits == 8) {  // the pixels as they are
      std::error_code failed;
      fs::copy_file(source, path, failed);
      if (!failed) return;
      throw Error(ErrorKind::kEnvironment,
                  fmt::format("{}: cannot be written: {}", path.string(), failed.message()));
    }
  }
  std::vector<Image> images;
  for (const ImageTile& tile : picture.tiles) images.push_back(read_png(file_of(tile)).image);
  const Image image = images.size() == 1 ? images.front() : tiled(images);
  write_bytes(path, picture.is_jpeg ? encode_jpeg(image, jpeg_quality) : encode_png(image));
}

bool write_archive(const PlannedArchive& archive,
                   const PictureSize& size,
                   const TileFile& file_of,
                   const fs::path& path,
                   const WriterOptions& options) {
  NpzWriter writer(path);
  const int64_t shape[] = {std::ssize(archive.tiles), size.height, size.width, 3};
  writer.begin_array("arr_0", "|u1", shape);
  for (const ImageTile& tile : archive.tiles) {
    if (options.stop_asked()) return false;
    const Image image = read_png(file_of(tile)).image;
    writer.append(std::as_bytes(std::span(image.rgb)));
  }
  writer.finish();
  return true;
}

/// A folder that is removed with all that is in it, unless kept.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(fs::path path) : path_(std::move(path)) {
    std::error_code failed;
    fs::create_directories(path_, failed);
    if (failed) {
      throw Error(ErrorKind::kEnvironment,
                  fmt::format("{}: cannot be made: {}", path_.string(), failed.message()));
    }
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

 private:
  fs::path path_;
};

/// Everything below `folder` on the disk, in one go.
void make_durable(const fs::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool done = descriptor >= 0 && syncfs(descriptor) == 0;
  const int why = errno;
  if (descriptor >= 0) close(descriptor);
  if (done) return;
  throw Error(ErrorKind::kEnvironment, fmt::format("{}: cannot be written to the disk: {}",
                                                   folder.string(), std::strerror(why)));
}

}  // namespace

PictureSize check_tiles(
    const ExportPlan& plan,
    const TileFile& file_of,
    const std::function<void(const ImageTile& tile, const std::string& why)>& missing) {
  const std::vector<ImageTile> tiles = tiles_of(plan);
  std::vector<std::optional<PictureHeader>> headers(tiles.size());
  at::parallel_for(0, std::ssize(tiles), 1, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      const fs::path file = file_of(tiles[i]);
      if (is_whole_png(file)) headers[i] = picture_size(file);
    }
  });
  PictureSize size;
  fs::path first;
  for (size_t i = 0; i < tiles.size(); ++i) {
    const fs::path file = file_of(tiles[i]);
    std::error_code unknown;
    if (!headers[i]) {
      missing(tiles[i], fmt::format("{}: {}", file.string(),
                                    fs::exists(file, unknown) ? "no whole PNG" : "not there"));
      continue;
    }
    if (size.height == 0) {
      size = {.height = headers[i]->height, .width = headers[i]->width};
      first = file;
    }
    if (headers[i]->height != size.height || headers[i]->width != size.width) {
      throw Error(
          ErrorKind::kInput,
          fmt::format("{} has {} x {} pixels, {} has {} x {}: a judge's pictures are of one "
                      "size",
                      file.string(), headers[i]->width, headers[i]->height, first.string(),
                      size.width, size.height));
    }
  }
  return size;
}

void refuse_existing(const fs::path& path, const std::string& option) {
  std::error_code unknown;
  if (!fs::exists(fs::symlink_status(path, unknown))) return;
  throw Error(ErrorKind::kEnvironment,
              fmt::format("{} {}: is there already, and nothing is written over; name another, or "
                          "remove it",
                          option, path.string()));
}

bool write_export(const ExportPlan& plan,
                  const PictureSize& size,
                  const TileFile& file_of,
                  const fs::path& out,
                  bool single_file,
                  const WriterOptions& options) {
  refuse_existing(out, "--to");
  const fs::path part = out.string() + fmt::format(".part-{}", getpid());
  const TemporaryFolder folder(part);
  std::set<fs::path> folders;
  for (const std::string& place : plan.places()) folders.insert((part / place).parent_path());
  for (const fs::path& needed : folders) fs::create_directories(needed);
  for (const PlannedText& text : plan.texts) {
    write_bytes(part / text.place, std::as_bytes(std::span(text.content)));
  }
  std::atomic<bool> stopped = false;
  at::parallel_for(0, std::ssize(plan.pictures), 1, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      if (stopped || options.stop_asked()) {
        stopped = true;
        return;
      }
      const PlannedPicture& picture = plan.pictures[i];
      write_picture(picture, file_of, part / picture.place, options.jpeg_quality);
    }
  });
  if (!stopped && plan.archive) {
    stopped = !write_archive(*plan.archive, size, file_of, part / plan.archive->place, options);
  }
  if (stopped) return false;
  make_durable(part);
  refuse_existing(out, "--to");  // somebody else's, since
  std::error_code failed;
  fs::rename(single_file ? part / plan.archive->place : part, out, failed);
  if (failed) {
    throw Error(ErrorKind::kEnvironment,
                fmt::format("{}: cannot take this name: {}", out.string(), failed.message()));
  }
  return true;
}

}  // namespace kvscope
