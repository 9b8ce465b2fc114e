#include "experiments/sweep/digests.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/base/opened_files.h"
#include "core/base/sha256.h"
#include "core/checkpoint/checkpoint.h"
#include "core/text/tokenizers/tokenizer.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

/// What reading `path` opens, as a checkpoint and as a tokenizer: a folder may hold both, and the
/// setting's name does not say which is meant. Tensors stay in their files, so that this costs no
/// memory. What is damaged counts as far as it was opened: who loads it says what is wrong.
std::vector<fs::path> files_behind(const fs::path& path) {
  const OpenedFiles opened;
  const auto tried = [&](const auto& open) {
    try {
      open(path);
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  std::error_code unknown;
  const bool is_folder = fs::is_directory(path, unknown);
  if (!tried([](const fs::path& file) { open_checkpoint(file); }) || is_folder) {
    tried([](const fs::path& file) { open_tokenizer(file); });
  }
  if (!is_folder) OpenedFiles::note(path);
  return opened.files();
}

/// Keys of a model group that name a checkpoint or tokenizer, whatever the value looks like.
constexpr const char* kFileKeys[] = {"weights", "vae_weights", "text_weights", "tokenizer"};

/// Other strings below `node` that look like a path and are one, with their keys.
void collect_paths(const ConfigNode& node,
                   const std::string& key,
                   const fs::path& root,
                   std::vector<std::pair<std::string, fs::path>>& found) {
  if (node.is_map()) {
    for (const ConfigEntry& entry : node.entries()) {
      collect_paths(entry.value, key + "." + entry.name, root, found);
    }
  } else if (node.is_list()) {
    for (std::size_t i = 0; i < node.size(); ++i) {
      collect_paths(node.items()[i], fmt::format("{}.{}", key, i), root, found);
    }
  }
  if (!node.is_string() || node.as_string().find_first_of("./") == std::string::npos) return;
  std::error_code unknown;
  const fs::path path = root / node.as_string();
  if (fs::exists(path, unknown)) found.emplace_back(key, path);
}

}  // namespace

const std::string& FileDigests::of_file(const fs::path& file) {
  const auto found = file_known_.find(file);
  if (found != file_known_.end()) return found->second;
  const MappedFile mapped(file);
  Sha256 digest;
  digest.update(mapped.data(), static_cast<size_t>(mapped.size_bytes()));
  return file_known_.emplace(file, digest.hex_digest()).first->second;
}

const std::string& FileDigests::of(const std::string& path, const std::string& key) {
  const auto found = known_.find(path);
  if (found != known_.end()) return found->second;
  if (!fs::exists(path)) {
    throw Error(ErrorKind::kInput, fmt::format("{}={}: no such file or folder", key, path));
  }
  const std::vector<fs::path> files = files_behind(path);
  if (files.empty()) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}={}: holds neither a checkpoint (*.index.json, *.safetensors, *.bin, "
                    "*.pt or *.pth) nor a tokenizer (*.model or tokenizer.json)",
                    key, path));
  }
  if (files.size() == 1) return known_.emplace(path, of_file(files.front())).first->second;
  Sha256 all;
  for (const fs::path& file : files) all.update(of_file(file) + "\n");
  return known_.emplace(path, all.hex_digest()).first->second;
}

std::vector<fs::path> FileDigests::files() const {
  std::vector<fs::path> files;
  for (const auto& [file, digest] : file_known_) files.push_back(file);
  return files;
}

void require_digested(std::span<const fs::path> opened, std::span<const fs::path> digested) {
  for (const fs::path& file : opened) {
    if (std::ranges::find(digested, file) != digested.end()) continue;
    throw Error(ErrorKind::kAudit,
                fmt::format("{} was read, but is no part of what identifies the point: a result "
                            "would stay where the file changes",
                            file.string()));
  }
}

std::vector<std::pair<std::string, std::string>> model_digests(const ConfigNode& model,
                                                               const std::string& root,
                                                               FileDigests& files) {
  std::vector<std::pair<std::string, std::string>> digests;
  for (const char* key : kFileKeys) {
    const ConfigNode* node = model.child(key);
    if (node == nullptr || !node->is_string()) continue;
    const std::string name = fmt::format("model.{}", key);
    const std::string& text = node->as_string();
    const bool random = text == "random";
    digests.emplace_back(name, random ? text : files.of((fs::path(root) / text).string(), name));
  }
  std::vector<std::pair<std::string, fs::path>> others;
  collect_paths(model, "model", root, others);
  for (const auto& [key, path] : others) {
    const bool known =
        std::ranges::any_of(digests, [&](const auto& one) { return one.first == key; });
    if (!known) digests.emplace_back(key, files.of(path.string(), key));
  }
  return digests;
}

std::vector<std::pair<std::string, std::string>> policy_digests(std::span<const fs::path> opened,
                                                                FileDigests& files) {
  std::vector<std::pair<std::string, std::string>> digests;
  for (const fs::path& file : opened) {
    digests.emplace_back(fmt::format("policy.{}", digests.size()), files.of_file(file));
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
