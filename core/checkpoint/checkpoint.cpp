#include "core/checkpoint/checkpoint.h"

#include <fmt/format.h>

#include <array>
#include <set>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/base/error.h"
#include "core/base/foreign_file.h"
#include "core/base/mapped_file.h"
#include "core/checkpoint/safetensors.h"
#include "core/checkpoint/shard_index.h"
#include "core/checkpoint/state_dict.h"
#include "core/checkpoint/torch_zip.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLengthBytes = 8;  // a safetensors header begins behind its length

[[noreturn]] void refuse(const fs::path& path, const std::string& what) {
  throw Error(ErrorKind::kInput, fmt::format("{}: {}", path.string(), what));
}

enum class Container { kSafetensors, kTorchZip };

Container container_of(const fs::path& path) {
  const MappedFile file(path);
  const std::string_view bytes(reinterpret_cast<const char*>(file.data()),
                               static_cast<size_t>(file.size_bytes()));
  if (bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06")) {
    return Container::kTorchZip;
  }
  // A header's length may look like how something else begins.
  const bool has_header = bytes.size() > kLengthBytes && bytes[kLengthBytes] == '{';
  if (const std::string foreign = foreign_file(file.bytes()); !has_header && !foreign.empty()) {
    refuse(path, "expected a checkpoint, this is " + foreign);
  }
  // By name too, so that a damaged file is told what is wrong with it as what it is.
  if (path.extension() == ".safetensors") return Container::kSafetensors;
  if (bytes.starts_with("\x80\x02")) {
    refuse(
        path,
        "a bare pickle, as PyTorch wrote before 1.6; load and save it once with a newer PyTorch");
  }
  if (has_header) return Container::kSafetensors;
  refuse(path, fmt::format("{} bytes that are neither a safetensors file nor a zip archive of "
                           "torch.save",
                           bytes.size()));
}

Checkpoint open_file(const fs::path& path) {
  Checkpoint checkpoint{.container = {}, .files = 1, .tensors = {}, .metadata = {}};
  if (container_of(path) == Container::kTorchZip) {
    checkpoint.container = "PyTorch zip archive";
    checkpoint.tensors = read_torch_zip(path);
  } else {
    const SafetensorsReader reader(path);
    checkpoint.container = "safetensors";
    checkpoint.tensors = reader.tensors();
    checkpoint.metadata = reader.metadata();
  }
  return checkpoint;
}

Checkpoint open_index(const fs::path& index) {
  const std::map<std::string, std::string> weight_map = read_shard_index(index);
  std::set<std::string> shards;
  for (const auto& [name, shard] : weight_map) shards.insert(shard);
  if (shards.empty()) refuse(index, "an index of no shards");
  Checkpoint whole;
  std::map<std::string, std::string> found;
  for (const std::string& shard : shards) {
    Checkpoint part = open_file(index.parent_path() / shard);
    for (const auto& [name, tensor] : part.tensors) {
      if (!found.emplace(name, shard).second) {
        refuse(index, fmt::format("tensor '{}' is in '{}' and in an earlier shard", name, shard));
      }
      whole.tensors.set(name, tensor);
    }
    whole.container = part.container;
    whole.metadata.merge(part.metadata);
    ++whole.files;
  }
  check_shards(index, weight_map, found);
  return whole;
}

// The index or single file of a folder.
fs::path find_in_folder(const fs::path& folder) {
  constexpr std::string_view kIndex = ".index.json";
  struct Found {
    std::vector<fs::path> indices;
    std::vector<fs::path> files;
  };
  Found safetensors;
  Found torch;
  std::error_code failure;
  const fs::directory_iterator items(folder, failure);
  if (failure) refuse(folder, fmt::format("cannot list the folder: {}", failure.message()));
  for (const auto& item : items) {
    const std::string name = item.path().filename().string();
    const std::string extension = item.path().extension().string();
    if (name.ends_with(".safetensors.index.json")) {
      safetensors.indices.push_back(item.path());
    } else if (name.ends_with(kIndex)) {
      torch.indices.push_back(item.path());
    } else if (extension == ".safetensors") {
      safetensors.files.push_back(item.path());
    } else if (extension == ".bin" || extension == ".pt" || extension == ".pth") {
      torch.files.push_back(item.path());
    }
  }
  for (const Found* found : {&safetensors, &torch}) {
    if (found->indices.size() == 1) return found->indices.front();
    if (found->indices.empty() && found->files.size() == 1) return found->files.front();
  }
  refuse(folder, fmt::format("expected one *.index.json, or one .safetensors, .bin, .pt or .pth "
                             "file; found {} and {}. Name the file",
                             safetensors.indices.size() + torch.indices.size(),
                             safetensors.files.size() + torch.files.size()));
}

}  // namespace

Checkpoint open_checkpoint(const fs::path& path) {
  std::error_code unknown;  // what cannot even be looked at is refused when it is opened
  const fs::path target = fs::is_directory(path, unknown) ? find_in_folder(path) : path;
  Checkpoint checkpoint = target.extension() == ".json" ? open_index(target) : open_file(target);
  try {
    checkpoint.tensors = without_wrappers(checkpoint.tensors);
  } catch (const Error& error) {
    refuse(target, error.what());
  }
  return checkpoint;
}

TensorMap read_checkpoint(const fs::path& path) {
  return open_checkpoint(path).tensors;
}

}  // namespace kvscope
