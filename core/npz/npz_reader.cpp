#include "core/npz/npz_reader.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr int64_t kHeaderBytes = 1 << 16;
constexpr int64_t kMostElements = int64_t{1} << 27;  // 1 GiB of doubles

template <class T>
std::vector<double> converted(std::span<const std::byte> bytes) {
  std::vector<double> values(bytes.size() / sizeof(T));
  for (size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(value);
  }
  return values;
}

std::vector<double> values_of(std::span<const std::byte> bytes, const std::string& type) {
  const std::string kind = type.substr(1);
  if (kind == "f8") return converted<double>(bytes);
  if (kind == "f4") return converted<float>(bytes);
  if (kind == "f2") return converted<at::Half>(bytes);
  if (kind == "u1") return converted<uint8_t>(bytes);
  if (kind == "i1") return converted<int8_t>(bytes);
  if (kind == "u2") return converted<uint16_t>(bytes);
  if (kind == "i2") return converted<int16_t>(bytes);
  if (kind == "u4") return converted<uint32_t>(bytes);
  if (kind == "i4") return converted<int32_t>(bytes);
  if (kind == "u8") return converted<uint64_t>(bytes);
  return converted<int64_t>(bytes);
}

/// The first `most` bytes of a raw deflate stream, or all of a shorter one; none for a broken one.
std::optional<std::vector<std::byte>> inflated(std::span<const std::byte> packed, int64_t most) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return std::nullopt;
  std::vector<std::byte> result;
  constexpr size_t kPiece = size_t{1} << 20;
  int status = Z_OK;
  size_t taken = 0;
  while (status == Z_OK && std::ssize(result) < most) {
    if (stream.avail_in == 0) {
      const size_t piece = std::min(kPiece, packed.size() - taken);
      stream.next_in =
          const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data() + taken));  // read only
      stream.avail_in = static_cast<uInt>(piece);
      taken += piece;
    }
    const size_t before = result.size();
    const size_t room = std::min(kPiece, static_cast<size_t>(most) - before);
    result.resize(before + room);
    stream.next_out = reinterpret_cast<Bytef*>(result.data() + before);
    stream.avail_out = static_cast<uInt>(room);
    status = inflate(&stream, Z_NO_FLUSH);
    result.resize(before + room - stream.avail_out);
  }
  inflateEnd(&stream);
  if (status != Z_OK && status != Z_STREAM_END) return std::nullopt;
  return result;
}

}  // namespace

NpzReader::NpzReader(const std::filesystem::path& path)
    : name_(path.string()), file_(path), archive_(file_, name_) {}

std::vector<std::string> NpzReader::names() const {
  std::vector<std::string> names;
  for (const ZipEntry& entry : archive_.entries()) {
    std::string_view name = entry.name;
    if (name.ends_with(".npy")) name.remove_suffix(4);
    names.emplace_back(name);
  }
  return names;
}

bool NpzReader::has(const std::string& name) const {
  return archive_.find(name + ".npy") != nullptr;
}

const ZipEntry& NpzReader::entry(const std::string& name) const {
  const ZipEntry* found = archive_.find(name + ".npy");
  if (found == nullptr) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: no array '{}'; it has {}", name_, name, fmt::join(names(), ", ")));
  }
  return *found;
}

std::string NpzReader::origin(const std::string& name) const {
  return fmt::format("{}: array '{}'", name_, name);
}

bool NpzReader::is_compressed(const std::string& name) const {
  return entry(name).method != 0;
}

std::vector<std::byte> NpzReader::unpacked(const ZipEntry& entry, int64_t most) const {
  const std::string where = fmt::format("{}: '{}'", name_, entry.name);
  if (entry.encrypted || (entry.method != 0 && entry.method != 8)) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: encrypted, or compressed in another way than deflate", where));
  }
  if (entry.method == 0) {
    std::vector<std::byte> bytes(static_cast<size_t>(std::min(entry.size_bytes, most)));
    file_.read(entry.data_byte, bytes);
    return bytes;
  }
  const auto packed = file_.bytes().subspan(static_cast<size_t>(entry.data_byte),
                                            static_cast<size_t>(entry.size_bytes));
  auto bytes = inflated(packed, most);
  if (!bytes) throw Error(ErrorKind::kInput, fmt::format("{}: damaged, cannot be unpacked", where));
  return *std::move(bytes);
}

NpyHeader NpzReader::header(const std::string& name) const {
  return read_npy_header(unpacked(entry(name), kHeaderBytes), origin(name));
}

NpyArray NpzReader::array(const std::string& name) const {
  const NpyHeader found = header(name);
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::kInput, fmt::format("{}: {}", origin(name), what));
  };
  if (found.element_bytes() == 0) {
    refuse(fmt::format("elements of type {}: expected numbers", found.type));
  }
  if (found.elements() > kMostElements) {
    refuse(fmt::format("{} elements: at most {} are read", found.elements(), kMostElements));
  }
  const int64_t data_bytes = found.elements() * found.element_bytes();
  const std::vector<std::byte> bytes = unpacked(entry(name), found.header_bytes + data_bytes + 1);
  if (std::ssize(bytes) != found.header_bytes + data_bytes) {
    refuse(fmt::format("{} bytes of elements, where its shape has {}",
                       std::ssize(bytes) - found.header_bytes, data_bytes));
  }
  const auto elements = std::span(bytes).subspan(static_cast<size_t>(found.header_bytes));
  NpyArray array{.shape = found.shape, .values = values_of(elements, found.type)};
  if (!found.fortran_order || array.shape.size() < 2) return array;
  if (array.shape.size() > 2) refuse("column-major, of more than two axes");
  NpyArray turned = array;
  const auto rows = static_cast<size_t>(array.shape[0]);
  const auto columns = static_cast<size_t>(array.shape[1]);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) {
      turned.values[i * columns + j] = array.values[j * rows + i];
    }
  }
  return turned;
}

}  // namespace kvscope
