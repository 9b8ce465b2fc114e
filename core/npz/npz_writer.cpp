#include "core/npz/npz_writer.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/npz/npy_header.h"

namespace kvscope {
namespace {

// APPNOTE.TXT of PKWARE, 4.3 and 4.5.3. The date is 1980-01-01, as numpy writes it: equal arrays
// give equal files.
constexpr uint16_t kVersionZip64 = 45;
constexpr uint16_t kEarliestDate = 1 << 5 | 1;
constexpr uint16_t kZip64Field = 1;
constexpr uint32_t kIn64 = 0xffffffff;
constexpr uint64_t kCrcOffset = 14;  // of a local header
constexpr uint64_t kLocalBytes = 30;
constexpr uint64_t kFieldHeadBytes = 4;

/// Little-endian fields one after the other.
class Record {
 public:
  template <class T>
  Record& add(T value) {
    for (size_t i = 0; i < sizeof(T); ++i) {
      bytes_ += static_cast<char>(static_cast<uint64_t>(value) >> (8 * i) & 0xff);
    }
    return *this;
  }
  Record& add_text(const std::string& text) {
    bytes_ += text;
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

template <class T>
T as(uint64_t value) {
  return static_cast<T>(value);
}

std::string local_header(const std::string& name, uint32_t crc, uint64_t size) {
  return Record()
      .add(uint32_t{0x04034b50})
      .add(kVersionZip64)
      .add(uint16_t{0})  // flags
      .add(uint16_t{0})  // stored
      .add(uint16_t{0})  // time
      .add(kEarliestDate)
      .add(crc)
      .add(kIn64)
      .add(kIn64)
      .add(as<uint16_t>(name.size()))
      .add(uint16_t{20})
      .add_text(name)
      .add(kZip64Field)
      .add(uint16_t{16})
      .add(size)
      .add(size)
      .bytes();
}

}  // namespace

NpzWriter::NpzWriter(std::filesystem::path path)
    : path_(std::move(path)), file_(path_, std::ios::binary | std::ios::trunc) {
  check();
}

void NpzWriter::check() const {
  if (file_) return;
  throw Error(ErrorKind::kEnvironment,
              fmt::format("{}: cannot be written; is the disk full, or the folder not yours?",
                          path_.string()));
}

void NpzWriter::write(const std::string& bytes) {
  file_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  check();
  offset_ += bytes.size();
}

void NpzWriter::begin_array(const std::string& name,
                            const std::string& type,
                            std::span<const int64_t> shape) {
  if (is_open_array_) end_array();
  const NpyHeader header{.type = type, .shape = {shape.begin(), shape.end()}};
  entries_.push_back({.name = name + ".npy", .offset = offset_});
  write(local_header(entries_.back().name, 0, 0));
  is_open_array_ = true;
  const std::string text = npy_header_text(type, shape);
  entries_.back().expected_bytes =
      text.size() + static_cast<uint64_t>(header.elements() * header.element_bytes());
  append(std::as_bytes(std::span(text)));
}

void NpzWriter::append(std::span<const std::byte> elements) {
  Entry& entry = entries_.back();
  if (entry.expected_bytes - entry.bytes < elements.size()) {
    throw Error(ErrorKind::kAudit, fmt::format("{}: {} got more elements than its shape has",
                                               path_.string(), entry.name));
  }
  entry.crc = as<uint32_t>(
      crc32_z(entry.crc, reinterpret_cast<const Bytef*>(elements.data()), elements.size()));
  file_.write(reinterpret_cast<const char*>(elements.data()),
              static_cast<std::streamsize>(elements.size()));
  check();
  entry.bytes += elements.size();
  offset_ += elements.size();
}

void NpzWriter::end_array() {
  const Entry& entry = entries_.back();
  if (entry.bytes != entry.expected_bytes) {
    throw Error(ErrorKind::kAudit,
                fmt::format("{}: {} lacks elements", path_.string(), entry.name));
  }
  const std::string header = local_header(entry.name, entry.crc, entry.bytes);
  const auto patch = [&](uint64_t from, uint64_t count) {
    file_.seekp(static_cast<std::streamoff>(entry.offset + from));
    file_.write(header.data() + from, static_cast<std::streamsize>(count));
  };
  patch(kCrcOffset, sizeof(entry.crc));
  patch(kLocalBytes + entry.name.size() + kFieldHeadBytes, 2 * sizeof(entry.bytes));
  file_.seekp(static_cast<std::streamoff>(offset_));
  check();
  is_open_array_ = false;
}

void NpzWriter::finish() {
  if (is_open_array_) end_array();
  const uint64_t directory = offset_;
  for (const Entry& entry : entries_) {
    write(Record()
              .add(uint32_t{0x02014b50})
              .add(as<uint16_t>(3 << 8 | kVersionZip64))  // made on Unix
              .add(kVersionZip64)
              .add(uint16_t{0})
              .add(uint16_t{0})
              .add(uint16_t{0})
              .add(kEarliestDate)
              .add(entry.crc)
              .add(kIn64)
              .add(kIn64)
              .add(as<uint16_t>(entry.name.size()))
              .add(uint16_t{28})
              .add(uint16_t{0})  // comment
              .add(uint16_t{0})  // disk
              .add(uint16_t{0})
              .add(as<uint32_t>(uint64_t{0600} << 16))
              .add(kIn64)
              .add_text(entry.name)
              .add(kZip64Field)
              .add(uint16_t{24})
              .add(entry.bytes)
              .add(entry.bytes)
              .add(entry.offset)
              .bytes());
  }
  const uint64_t end = offset_;
  const auto count = as<uint64_t>(entries_.size());
  write(Record()
            .add(uint32_t{0x06064b50})
            .add(uint64_t{44})
            .add(kVersionZip64)
            .add(kVersionZip64)
            .add(uint32_t{0})
            .add(uint32_t{0})
            .add(count)
            .add(count)
            .add(end - directory)
            .add(directory)
            .add(uint32_t{0x07064b50})
            .add(uint32_t{0})
            .add(end)
            .add(uint32_t{1})
            .add(uint32_t{0x06054b50})
            .add(uint16_t{0})
            .add(uint16_t{0})
            .add(as<uint16_t>(count))
            .add(as<uint16_t>(count))
            .add(as<uint32_t>(std::min<uint64_t>(end - directory, kIn64)))
            .add(as<uint32_t>(std::min<uint64_t>(directory, kIn64)))
            .add(uint16_t{0})
            .bytes());
  file_.close();
  check();
}

}  // namespace kvscope
