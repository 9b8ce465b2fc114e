#include "core/checkpoint/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/foreign_file.h"
#include "core/checkpoint/mapped_tensor.h"
#include "core/checkpoint/shard_index.h"

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

namespace kvscope {
namespace {

constexpr int64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the limit of the format's own library
constexpr std::string_view kReservedName = "__metadata__";

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorKind::kInput, fmt::format("{}: {}", path.string(), what));
}

std::filesystem::path find_in_folder(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> indices;
  std::vector<std::filesystem::path> files;
  for (const auto& item : std::filesystem::directory_iterator(folder)) {
    const std::string name = item.path().filename().string();
    if (name.ends_with(".safetensors.index.json")) indices.push_back(item.path());
    if (name.ends_with(".safetensors")) files.push_back(item.path());
  }
  if (indices.size() == 1) return indices.front();
  if (indices.empty() && files.size() == 1) return files.front();
  refuse(
      folder,
      fmt::format("expected one *.safetensors.index.json or one .safetensors file, found {} and {}",
                  indices.size(), files.size()));
}

}  // namespace

SafetensorsReader::SafetensorsReader(const std::filesystem::path& path) : path_(path.string()) {
  const std::filesystem::path target =
      std::filesystem::is_directory(path) ? find_in_folder(path) : path;
  if (target.extension() == ".json") {
    add_index(target);
  } else {
    add_file(target);
  }
}

void SafetensorsReader::add_file(const std::filesystem::path& path) {
  auto file = std::make_shared<MappedFile>(path);
  const std::span<const std::byte> bytes = file->bytes();
  const bool has_header = bytes.size() > kLengthBytes && bytes[kLengthBytes] == std::byte{'{'};
  if (const std::string foreign = foreign_file(bytes); !has_header && !foreign.empty()) {
    refuse(path, "expected a safetensors file, this is " + foreign);
  }
  if (file->size_bytes() < kLengthBytes) {
    refuse(path, fmt::format("{} bytes are no safetensors file: 8 bytes of header length expected",
                             file->size_bytes()));
  }
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, file->data(), sizeof(header_bytes));
  const auto rest_bytes = static_cast<uint64_t>(file->size_bytes() - kLengthBytes);
  if (header_bytes > kMaxHeaderBytes || header_bytes > rest_bytes) {
    refuse(path, fmt::format("header length {} is more than the {} bytes that follow it or the "
                             "limit of {}: truncated, or no safetensors file",
                             header_bytes, rest_bytes, kMaxHeaderBytes));
  }
  const std::string_view json(reinterpret_cast<const char*>(file->data()) + kLengthBytes,
                              header_bytes);
  SafetensorsHeader header = parse_safetensors_header(
      json, static_cast<int64_t>(rest_bytes - header_bytes), path.string());
  for (SafetensorsEntry& entry : header.entries) {
    std::string name = entry.name;
    const auto [place, added] = locations_.try_emplace(
        name, Location{file, kLengthBytes + static_cast<int64_t>(header_bytes), std::move(entry)});
    if (!added) refuse(path, fmt::format("tensor '{}' is already in an earlier shard", name));
    names_.push_back(std::move(name));
  }
  metadata_.merge(header.metadata);
}

void SafetensorsReader::add_index(const std::filesystem::path& index) {
  const std::map<std::string, std::string> weight_map = read_shard_index(index);
  std::set<std::string> shards;
  for (const auto& [name, shard] : weight_map) shards.insert(shard);
  std::map<std::string, std::string> found;
  for (const std::string& shard : shards) {
    const size_t before = names_.size();
    add_file(index.parent_path() / shard);
    for (size_t i = before; i < names_.size(); ++i) found.emplace(names_[i], shard);
  }
  check_shards(index, weight_map, found);
}

const SafetensorsReader::Location& SafetensorsReader::locate(std::string_view name) const {
  const auto found = locations_.find(name);
  if (found != locations_.end()) return found->second;
  const std::string near = nearest_name(std::string(name), names_);
  refuse(path_, fmt::format("no tensor '{}' among {}{}", name, names_.size(),
                            near.empty() ? "" : fmt::format("; the nearest is '{}'", near)));
}

bool SafetensorsReader::contains(std::string_view name) const {
  return locations_.contains(name);
}

const std::vector<int64_t>& SafetensorsReader::shape(std::string_view name) const {
  return locate(name).entry.shape;
}

at::ScalarType SafetensorsReader::dtype(std::string_view name) const {
  return locate(name).entry.dtype;
}

at::Tensor SafetensorsReader::tensor(std::string_view name) const {
  const Location& location = locate(name);
  const SafetensorsEntry& entry = location.entry;
  const int64_t count =
      (entry.end_byte - entry.begin_byte) / static_cast<int64_t>(c10::elementSize(entry.dtype));
  return mapped_tensor(location.file, location.data_begin + entry.begin_byte, count, entry.dtype)
      .view(entry.shape);
}

TensorMap SafetensorsReader::tensors() const {
  TensorMap result;
  for (const std::string& name : names_) result.set(name, tensor(name));
  return result;
}

const std::string& SafetensorsReader::metadata(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found != metadata_.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [name, value] : metadata_) known.push_back(name);
  refuse(path_, fmt::format("no metadata '{}'. {}", key, suggestion(key, known)));
}

TensorMap read_safetensors(const std::filesystem::path& path) {
  return SafetensorsReader(path).tensors();
}

void write_safetensors(const std::filesystem::path& path,
                       std::span<const std::pair<std::string, at::Tensor>> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<const std::pair<std::string, at::Tensor>*> ordered;
  std::set<std::string_view> names;
  for (const auto& named : tensors) {
    if (named.first == kReservedName || !names.insert(named.first).second) {
      refuse(path, fmt::format("tensor name '{}' is given twice or reserved", named.first));
    }
    ordered.push_back(&named);
  }
  std::ranges::stable_sort(ordered, std::greater<>(),
                           [](const auto* named) { return named->second.element_size(); });

  SafetensorsHeader header;
  header.metadata = metadata;
  int64_t offset = 0;
  for (const auto* named : ordered) {
    const at::Tensor& tensor = named->second;
    const auto bytes = static_cast<int64_t>(tensor.nbytes());
    header.entries.push_back(
        {named->first, tensor.scalar_type(), tensor.sizes().vec(), offset, offset + bytes, 0});
    offset += bytes;
  }
  const std::string json = format_safetensors_header(header);
  const uint64_t header_bytes = json.size();

  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&header_bytes, 1)));
  file.write(json);
  for (const auto* named : ordered) {
    const at::Tensor data = named->second.detach().cpu().contiguous();
    file.write(std::span(static_cast<const std::byte*>(data.const_data_ptr()), data.nbytes()));
  }
  file.commit();
}

}  // namespace kvscope
