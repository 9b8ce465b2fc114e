#include "core/checkpoint/zip_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <span>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint32_t kEntrySignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50;
constexpr uint32_t kLocator64Signature = 0x07064b50;
constexpr uint64_t kLocalBytes = 30;
constexpr uint64_t kEntryBytes = 46;
constexpr uint64_t kEndBytes = 22;
constexpr uint64_t kEnd64Bytes = 56;
constexpr uint64_t kLocator64Bytes = 20;
constexpr uint64_t kMaxCommentBytes = 0xffff;
constexpr uint64_t kMaxEntries = 1'000'000;
constexpr uint16_t kZip64Field = 1;
constexpr uint16_t kEncryptedFlags = 0x2041;  // plain, strong, masked headers
constexpr uint32_t kIn64 = 0xffffffff;        // the value is in the zip64 extra field

constexpr uint64_t kMaxReadBytes = 256'000'000;  // of the directory, and of an entry's copy

[[noreturn]] void refuse(const std::string& name, uint64_t offset, const std::string& what) {
  throw Error(ErrorKind::kInput, fmt::format("{}: zip archive, byte {}: {}", name, offset, what));
}

std::vector<std::byte> read(const MappedFile& file, uint64_t offset, uint64_t count) {
  std::vector<std::byte> bytes(count);
  file.read(static_cast<int64_t>(offset), bytes);
  return bytes;
}

// Little-endian fields in a part of the archive, by their offsets in the whole.
class Fields {
 public:
  Fields(std::span<const std::byte> bytes, uint64_t begin, const std::string& name)
      : bytes_(bytes), begin_(begin), name_(name) {}

  template <typename T>
  [[nodiscard]] T at(uint64_t offset) const {
    T value;
    std::memcpy(&value, text(offset, sizeof(T)).data(), sizeof(T));
    return value;
  }

  [[nodiscard]] std::string_view text(uint64_t offset, uint64_t length) const {
    const uint64_t from = offset - begin_;
    if (offset < begin_ || from > bytes_.size() || bytes_.size() - from < length) {
      refuse(offset, "the record ends here, inside a field (truncated?)");
    }
    return {reinterpret_cast<const char*>(bytes_.data()) + from, length};
  }

  [[nodiscard]] uint64_t begin() const { return begin_; }
  [[nodiscard]] uint64_t size() const { return bytes_.size(); }
  [[noreturn]] void refuse(uint64_t offset, const std::string& what) const {
    kvscope::refuse(name_, offset, what);
  }

 private:
  std::span<const std::byte> bytes_;
  uint64_t begin_;
  const std::string& name_;
};

struct Directory {
  uint64_t entries = 0;
  uint64_t begin = 0;
  uint64_t end = 0;
};

// The end record closes the file but for a comment whose length it says.
uint64_t find_end_record(const Fields& tail) {
  const uint64_t end = tail.begin() + tail.size();
  if (tail.size() < kEndBytes) tail.refuse(0, "too short for a zip archive");
  const uint64_t last = end - kEndBytes;
  const uint64_t first = last - std::min(last - tail.begin(), kMaxCommentBytes);
  for (uint64_t offset = last + 1; offset-- > first;) {
    if (tail.at<uint32_t>(offset) == kEndSignature &&
        offset + kEndBytes + tail.at<uint16_t>(offset + 20) == end) {
      return offset;
    }
  }
  tail.refuse(last, "no end-of-central-directory record: truncated, or no zip archive");
}

Directory find_directory(const MappedFile& file, const std::string& name) {
  const auto size = static_cast<uint64_t>(file.size_bytes());
  const uint64_t tail_bytes = std::min(size, kEndBytes + kMaxCommentBytes + kLocator64Bytes);
  const std::vector<std::byte> tail = read(file, size - tail_bytes, tail_bytes);
  const Fields fields(tail, size - tail_bytes, name);
  const uint64_t end = find_end_record(fields);
  Directory directory{.entries = fields.at<uint16_t>(end + 10),
                      .begin = fields.at<uint32_t>(end + 16),
                      .end = fields.at<uint32_t>(end + 12)};
  uint64_t limit = end;
  const uint64_t locator = end - std::min(end, kLocator64Bytes);
  if (end >= kLocator64Bytes && fields.at<uint32_t>(locator) == kLocator64Signature) {
    const auto offset = fields.at<uint64_t>(locator + 8);
    if (offset > locator || locator - offset < kEnd64Bytes) {
      fields.refuse(locator, "points to no zip64 end-of-central-directory record");
    }
    const std::vector<std::byte> bytes = read(file, offset, kEnd64Bytes);
    const Fields record(bytes, offset, name);
    if (record.at<uint32_t>(offset) != kEnd64Signature) {
      fields.refuse(locator, "points to no zip64 end-of-central-directory record");
    }
    directory = {.entries = record.at<uint64_t>(offset + 32),
                 .begin = record.at<uint64_t>(offset + 48),
                 .end = record.at<uint64_t>(offset + 40)};
    limit = offset;
  }
  if (directory.begin > limit || limit - directory.begin < directory.end ||
      directory.end > kMaxReadBytes) {
    fields.refuse(end, fmt::format("central directory of {} bytes at {} does not fit before byte "
                                   "{} or the limit of {}",
                                   directory.end, directory.begin, limit, kMaxReadBytes));
  }
  directory.end += directory.begin;  // held the size so far
  if (directory.entries > kMaxEntries ||
      directory.entries > (directory.end - directory.begin) / kEntryBytes) {
    fields.refuse(end, fmt::format("{} entries do not fit the central directory or the limit of {}",
                                   directory.entries, kMaxEntries));
  }
  return directory;
}

// Sizes and offset of an entry; those that do not fit 32 bits are in the zip64 field, in this
// order.
struct Extent {
  uint64_t unpacked_bytes = 0;
  uint64_t packed_bytes = 0;
  uint64_t header_byte = 0;
};

Extent read_extent(const Fields& fields, uint64_t offset, uint64_t extra, uint64_t extra_bytes) {
  Extent extent{.unpacked_bytes = fields.at<uint32_t>(offset + 24),
                .packed_bytes = fields.at<uint32_t>(offset + 20),
                .header_byte = fields.at<uint32_t>(offset + 42)};
  uint64_t* const wanted[] = {&extent.unpacked_bytes, &extent.packed_bytes, &extent.header_byte};
  if (std::ranges::none_of(wanted, [](const uint64_t* value) { return *value == kIn64; })) {
    return extent;
  }
  const uint64_t end = extra + extra_bytes;
  while (end - extra >= 4) {
    const auto id = fields.at<uint16_t>(extra);
    const uint64_t field_end = extra + 4 + fields.at<uint16_t>(extra + 2);
    if (field_end > end) break;
    extra += 4;
    if (id == kZip64Field) {
      for (uint64_t* value : wanted) {
        if (*value != kIn64) continue;
        if (field_end - extra < 8) fields.refuse(offset, "its zip64 field is too short");
        *value = fields.at<uint64_t>(extra);
        extra += 8;
      }
      return extent;
    }
    extra = field_end;
  }
  fields.refuse(offset, "its sizes are announced in a zip64 field that is not there");
}

}  // namespace

ZipArchive::ZipArchive(const MappedFile& file, std::string name)
    : file_(file), name_(std::move(name)) {
  const Directory directory = find_directory(file_, name_);
  directory_ = read(file_, directory.begin, directory.end - directory.begin);
  const Fields fields(directory_, directory.begin, name_);
  uint64_t offset = directory.begin;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    if (directory.end - offset < kEntryBytes || fields.at<uint32_t>(offset) != kEntrySignature) {
      fields.refuse(offset, fmt::format("expected entry {} of {} of the central directory", i,
                                        directory.entries));
    }
    const uint64_t name_bytes = fields.at<uint16_t>(offset + 28);
    const uint64_t extra_bytes = fields.at<uint16_t>(offset + 30);
    const uint64_t next =
        offset + kEntryBytes + name_bytes + extra_bytes + fields.at<uint16_t>(offset + 32);
    if (next > directory.end) fields.refuse(offset, "the entry leaves the central directory");
    const std::string_view entry_name = fields.text(offset + kEntryBytes, name_bytes);
    const Extent extent =
        read_extent(fields, offset, offset + kEntryBytes + name_bytes, extra_bytes);
    const uint64_t header = extent.header_byte;
    const auto refuse_entry = [&](const std::string& what) {
      fields.refuse(header, fmt::format("entry '{}': {}", entry_name, what));
    };
    if (header > directory.begin || directory.begin - header < kLocalBytes + name_bytes) {
      refuse_entry("no header of a file here");
    }
    const std::vector<std::byte> bytes = read(file_, header, kLocalBytes + name_bytes);
    const Fields local(bytes, header, name_);
    if (local.at<uint32_t>(header) != kLocalSignature) refuse_entry("no header of a file here");
    if (local.at<uint16_t>(header + 26) != name_bytes ||
        local.text(header + kLocalBytes, name_bytes) != entry_name) {
      refuse_entry("the file's own header has another name");
    }
    const uint64_t data = header + kLocalBytes + name_bytes + local.at<uint16_t>(header + 28);
    if (data > directory.begin || directory.begin - data < extent.packed_bytes) {
      refuse_entry(fmt::format("its {} bytes do not fit the archive", extent.packed_bytes));
    }
    ZipEntry entry{.name = entry_name,
                   .method = fields.at<uint16_t>(offset + 10),
                   .encrypted = (fields.at<uint16_t>(offset + 8) & kEncryptedFlags) != 0,
                   .header_byte = static_cast<int64_t>(header),
                   .data_byte = static_cast<int64_t>(data),
                   .size_bytes = static_cast<int64_t>(extent.packed_bytes)};
    if (entry.method == 0 && extent.packed_bytes != extent.unpacked_bytes) {
      refuse_entry("stored, yet of two sizes");
    }
    if (!index_.emplace(entry_name, entries_.size()).second) refuse_entry("the name occurs twice");
    entries_.push_back(entry);
    offset = next;
  }

  // Entries that share bytes would let a small file stand for a large one.
  std::vector<size_t> order(entries_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [this](size_t i) { return entries_[i].header_byte; });
  int64_t free_from = 0;
  for (const size_t i : order) {
    const ZipEntry& entry = entries_[i];
    if (entry.header_byte < free_from) {
      refuse(name_, static_cast<uint64_t>(entry.header_byte),
             fmt::format("entry '{}' overlaps the one before it", entry.name));
    }
    free_from = entry.data_byte + entry.size_bytes;
  }
}

const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second];
}

void ZipArchive::require_stored(const ZipEntry& entry) const {
  if (entry.method == 0 && !entry.encrypted) return;
  throw Error(ErrorKind::kInput,
              fmt::format("{}: zip entry '{}' is {}; torch.save stores entries as they are. Unpack "
                          "it and pack it again without compression",
                          name_, entry.name, entry.encrypted ? "encrypted" : "compressed"));
}

std::vector<std::byte> ZipArchive::contents(const ZipEntry& entry) const {
  require_stored(entry);
  const auto size = static_cast<uint64_t>(entry.size_bytes);
  if (size > kMaxReadBytes) {
    refuse(name_, static_cast<uint64_t>(entry.data_byte),
           fmt::format("entry '{}' of {} bytes is larger than the limit of {}", entry.name, size,
                       kMaxReadBytes));
  }
  return read(file_, static_cast<uint64_t>(entry.data_byte), size);
}

}  // namespace kvscope
