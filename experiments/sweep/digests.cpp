#include "experiments/sweep/digests.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/base/sha256.h"
#include "policies/option_path.h"

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

/// Strings below `node` that look like a path and are one, with their keys.
void collect_files(const ConfigNode& node,
                   const std::string& key,
                   std::vector<std::pair<std::string, fs::path>>& found) {
  if (node.is_map()) {
    for (const ConfigEntry& entry : node.entries()) {
      collect_files(entry.value, key + "." + entry.name, found);
    }
  } else if (node.is_list()) {
    for (std::size_t i = 0; i < node.size(); ++i) {
      collect_files(node.items()[i], fmt::format("{}.{}", key, i), found);
    }
  }
  if (!node.is_string() || node.as_string().find_first_of("./") == std::string::npos) return;
  const fs::path path = option_path(node);
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) found.emplace_back(key, path);
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

std::vector<std::pair<std::string, std::string>> policy_digests(const ConfigNode& policy,
                                                                FileDigests& files) {
  std::vector<std::pair<std::string, fs::path>> found;
  collect_files(policy, "policy", found);
  std::vector<std::pair<std::string, std::string>> digests;
  for (const auto& [key, path] : found) digests.emplace_back(key, files.of(path.string(), key));
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
