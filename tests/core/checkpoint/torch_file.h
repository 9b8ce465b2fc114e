#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "tests/test_files.h"

namespace kvscope {

/// Little-endian bytes of a number.
template <typename T>
std::string raw(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

/// A zip archive of stored entries, byte by byte, so that tests can bend every field.
class ZipBytes {
 public:
  struct Entry {
    std::string name;
    std::string data;
    uint64_t header_byte = 0;
    uint16_t method = 0;
    uint16_t flags = 0;
    bool zip64 = false;  ///< sizes and offset in a zip64 field
  };

  /// `alignment`: the data begins at a multiple of it, as torch.save does with 64.
  Entry& add(const std::string& name, const std::string& data, size_t alignment = 1) {
    Entry entry{.name = name, .data = data, .header_byte = bytes_.size()};
    const size_t begin = bytes_.size() + 30 + name.size();
    const size_t padding = (alignment - begin % alignment) % alignment;
    const auto size = static_cast<uint32_t>(data.size());
    bytes_ += raw<uint32_t>(0x04034b50) + std::string(14, '\0') + raw(size) + raw(size) +
              raw(static_cast<uint16_t>(name.size())) + raw(static_cast<uint16_t>(padding)) + name +
              std::string(padding, '\0') + data;
    entries_.push_back(entry);
    return entries_.back();
  }

  std::vector<Entry>& entries() { return entries_; }

  [[nodiscard]] std::string finish(bool zip64_end = false, const std::string& comment = "") const {
    std::string directory;
    for (const Entry& entry : entries_) {
      const uint32_t size = static_cast<uint32_t>(entry.data.size());
      const auto offset = static_cast<uint32_t>(entry.header_byte);
      std::string extra;
      if (entry.zip64) {
        extra = raw<uint16_t>(0x7777) + raw<uint16_t>(3) + "abc" + raw<uint16_t>(1) +
                raw<uint16_t>(24) + raw<uint64_t>(size) + raw<uint64_t>(size) +
                raw<uint64_t>(offset);
      }
      const auto field = [&entry](uint32_t value) { return raw(entry.zip64 ? ~0U : value); };
      directory += raw<uint32_t>(0x02014b50) + std::string(4, '\0') + raw(entry.flags) +
                   raw(entry.method) + std::string(8, '\0') + field(size) + field(size) +
                   raw(static_cast<uint16_t>(entry.name.size())) +
                   raw(static_cast<uint16_t>(extra.size())) + std::string(10, '\0') +
                   field(offset) + entry.name + extra;
    }
    std::string end;
    if (zip64_end) {
      end = raw<uint32_t>(0x06064b50) + raw<uint64_t>(44) + std::string(12, '\0') +
            raw<uint64_t>(entries_.size()) + raw<uint64_t>(entries_.size()) +
            raw<uint64_t>(directory.size()) + raw<uint64_t>(bytes_.size());
      end += raw<uint32_t>(0x07064b50) + raw<uint32_t>(0) +
             raw<uint64_t>(bytes_.size() + directory.size()) + raw<uint32_t>(1);
    }
    const auto count = static_cast<uint16_t>(zip64_end ? 0xffff : entries_.size());
    end += raw<uint32_t>(0x06054b50) + raw<uint32_t>(0) + raw(count) + raw(count) +
           raw(zip64_end ? ~0U : static_cast<uint32_t>(directory.size())) +
           raw(zip64_end ? ~0U : static_cast<uint32_t>(bytes_.size())) +
           raw(static_cast<uint16_t>(comment.size())) + comment;
    return bytes_ + directory + end;
  }

 private:
  std::string bytes_;
  std::vector<Entry> entries_;
};

/// Pickle operations as text, protocol 2.
namespace pickle {

inline std::string text(std::string_view value) {
  return "X" + raw(static_cast<uint32_t>(value.size())) + std::string(value);
}
inline std::string integer(int64_t value) {
  if (value >= INT32_MIN && value <= INT32_MAX) return "J" + raw(static_cast<int32_t>(value));
  return "\x8a\x08" + raw(value);
}
inline std::string global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
inline std::string tuple(const std::string& items) {
  return "(" + items + "t";
}
inline std::string integers(const std::vector<int64_t>& values) {
  std::string items;
  for (const int64_t value : values) items += integer(value);
  return tuple(items);
}
inline std::string call(const std::string& function, const std::string& arguments) {
  return function + tuple(arguments) + "R";
}
inline std::string ordered_dict() {
  return call(global("collections", "OrderedDict"), "");
}
inline std::string dictionary(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string operations = "}(";
  for (const auto& [key, value] : items) operations += text(key) + value;
  return operations + "u";
}
inline std::string storage(std::string_view type, std::string_view key, int64_t count) {
  return tuple(text("storage") + global("torch", type) + text(key) + text("cpu") + integer(count)) +
         "Q";
}
inline std::string tensor(const std::string& storage_operations,
                          int64_t offset,
                          const std::vector<int64_t>& sizes,
                          const std::vector<int64_t>& strides) {
  return call(global("torch._utils", "_rebuild_tensor_v2"),
              storage_operations + integer(offset) + integers(sizes) + integers(strides) + "\x89" +
                  ordered_dict());
}
inline std::string whole(const std::string& operations) {
  return "\x80\x02" + operations + ".";
}

}  // namespace pickle

/// The bytes of 0.5, 1.5, ... as float32.
inline std::string counting_floats(size_t count) {
  std::string bytes;
  for (size_t i = 0; i < count; ++i) bytes += raw(static_cast<float>(i) + 0.5F);
  return bytes;
}

inline std::filesystem::path write_bytes(const std::filesystem::path& path,
                                         const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  return path;
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// What torch.save would write: `operations` give the root value, `storages` are data/KEY.
inline std::filesystem::path write_torch_file(
    const std::filesystem::path& path,
    const std::string& operations,
    const std::vector<std::pair<std::string, std::string>>& storages,
    size_t alignment = 64) {
  ZipBytes zip;
  zip.add("archive/data.pkl", pickle::whole(operations));
  zip.add("archive/byteorder", "little");
  for (const auto& [key, bytes] : storages) zip.add("archive/data/" + key, bytes, alignment);
  zip.add("archive/version", "3\n");
  return write_bytes(path, zip.finish());
}

/// An empty folder of the running test's own.
inline std::filesystem::path checkpoint_folder(const std::string& name) {
  std::filesystem::path folder = test_file(name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

/// The message of the Error(kInput) that `action` must throw.
inline std::string input_error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  ADD_FAILURE() << "expected an Error";
  return "";
}

}  // namespace kvscope
