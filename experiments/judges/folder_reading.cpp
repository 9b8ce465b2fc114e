#include "experiments/judges/folder_reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "core/base/error.h"
#include "core/image/png.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostFiles = 1'000'000;

std::vector<std::byte> beginning_of(const fs::path& file) {
  constexpr size_t kBytes = 64 * 1024;  // a JPEG may have a profile in front of its size
  std::ifstream stream(file, std::ios::binary);
  std::vector<std::byte> bytes(kBytes);
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(stream.gcount()));
  return bytes;
}

/// What is wrong with a picture; empty for nothing. `first` is the size of the first one.
std::string fault_of(const fs::path& file, std::optional<PictureHeader>& first) {
  static constexpr std::array<std::string_view, 7> kOthers = {".bmp", ".gif",  ".pgm", ".ppm",
                                                              ".tif", ".tiff", ".webp"};
  const std::string ending = ascii_lower(ending_of(file.filename().string()));
  if (std::ranges::find(kOthers, ending) != kOthers.end()) return "";  // nothing here reads them
  const auto header = picture_size(file);
  if (!header) return "no PNG or JPEG that can be read";
  if (header->codec == "png" && !is_whole_png(file)) return "a damaged PNG";
  const std::string named = ending == ".jpg" || ending == ".jpeg" ? "jpeg"
                            : ending.empty()                      ? ""
                                                                  : ending.substr(1);
  if (named != header->codec) return fmt::format("holds a {}", header->codec);
  if (header->mode != "RGB" || header->bits != 8) {
    return fmt::format("{}, {} bits a channel, and not 8-bit RGB", header->mode, header->bits);
  }
  if (!first) first = header;
  if (header->height != first->height || header->width != first->width) {
    return fmt::format("{} x {} pixels, where others have {} x {}", header->width, header->height,
                       first->width, first->height);
  }
  return "";
}

}  // namespace

std::optional<PictureHeader> picture_size(const fs::path& file) {
  return picture_header(beginning_of(file));
}

FolderListing FolderListing::of(const fs::path& folder) {
  FolderListing listing{.root = folder};
  std::error_code unknown;
  if (!fs::is_directory(folder, unknown)) {
    throw Error(ErrorKind::kInput, fmt::format("{}: no such folder", folder.string()));
  }
  for (auto entry = fs::recursive_directory_iterator(
           folder, fs::directory_options::skip_permission_denied, unknown);
       entry != fs::recursive_directory_iterator(); entry.increment(unknown)) {
    if (unknown) break;
    if (entry->is_directory(unknown)) continue;
    listing.files.push_back(entry->path().lexically_relative(folder).generic_string());
    if (listing.files.size() > kMostFiles) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: more than {} files", folder.string(), kMostFiles));
    }
  }
  std::ranges::sort(listing.files);
  return listing;
}

std::vector<std::string> folders_of(const FolderListing& listing) {
  std::vector<std::string> folders;
  std::error_code unknown;
  for (const auto& entry : fs::directory_iterator(listing.root, unknown)) {
    if (entry.is_directory(unknown)) folders.push_back(entry.path().filename().string());
  }
  std::ranges::sort(folders);
  return folders;
}

FolderListing listing_below(const FolderListing& listing, const std::string& folder) {
  FolderListing below{.root = listing.root / folder};
  for (const std::string& file : listing.files) {
    if (file.starts_with(folder + "/")) below.files.push_back(file.substr(folder.size() + 1));
  }
  return below;
}

FolderReading read_by(const std::string& reader,
                      const FolderListing& listing,
                      const TakesFile& takes) {
  FolderReading reading{.reader = reader};
  for (const std::string& file : listing.files) {
    if (takes(file)) {
      reading.read.push_back(file);
    } else {
      reading.skipped.push_back({file, "its name"});
    }
  }
  return reading;
}

void check_pictures(FolderReading& reading, const FolderListing& listing) {
  std::optional<PictureHeader> first;
  for (const std::string& place : reading.read) {
    const std::string fault = fault_of(listing.root / place, first);
    if (!fault.empty()) reading.misread.push_back({place, fault});
  }
}

std::vector<std::string_view> parts_of(std::string_view place) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t slash = place.find('/');
    parts.push_back(place.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    place.remove_prefix(slash + 1);
  }
}

std::string_view name_of_place(std::string_view place) {
  const size_t slash = place.rfind('/');
  return slash == std::string_view::npos ? place : place.substr(slash + 1);
}

std::string_view ending_of(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot);
}

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace kvscope
