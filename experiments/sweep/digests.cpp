#include "experiments/sweep/digests.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/base/sha256.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWeightFiles[] = {".safetensors", ".bin", ".pt", ".pth"};

std::vector<fs::path> files_of(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path)) {
    const fs::path extension = entry.path().extension();
    if (std::ranges::find(kWeightFiles, extension) != std::end(kWeightFiles)) {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

const std::string& FileDigests::of(const std::string& path, const std::string& key) {
  const auto found = known_.find(path);
  if (found != known_.end()) return found->second;
  if (!fs::exists(path)) {
    throw Error(ErrorKind::kInput, fmt::format("{}={}: no such file or folder", key, path));
  }
  const std::vector<fs::path> files = files_of(path);
  if (files.empty()) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}={}: holds no *.safetensors, *.bin, *.pt or *.pth", key, path));
  }
  Sha256 digest;
  for (const fs::path& file : files) {
    const MappedFile mapped(file);
    digest.update(mapped.data(), static_cast<size_t>(mapped.size_bytes()));
  }
  return known_.emplace(path, digest.hex_digest()).first->second;
}

std::vector<std::pair<std::string, std::string>> model_digests(const ConfigNode& model,
                                                               const std::string& root,
                                                               FileDigests& files) {
  std::vector<std::pair<std::string, std::string>> digests;
  for (const char* key : {"weights", "vae_weights", "text_weights", "tokenizer"}) {
    const ConfigNode* node = model.child(key);
    if (node == nullptr || !node->is_string()) continue;
    const std::string name = fmt::format("model.{}", key);
    const std::string& text = node->as_string();
    const bool random = text == "random";
    digests.emplace_back(name, random ? text : files.of((fs::path(root) / text).string(), name));
  }
  return digests;
}

std::string prompts_digest(const std::vector<Prompt>& prompts) {
  Sha256 digest;
  for (const Prompt& prompt : prompts) {
    digest.update(fmt::format("{} {}\n", prompt.id, prompt.text));
  }
  return digest.hex_digest();
}

}  // namespace kvscope
