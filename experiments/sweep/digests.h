#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/config/value.h"
#include "experiments/sweep/settings.h"

namespace kvscope {

/// The one among a point's digests that is no digest: the version of what the program computes.
inline constexpr const char* kResultsVersionKey = "results_version";

/// SHA-256 of what is read behind a setting, each file read once.
class FileDigests {
 public:
  /// 64 hex digits over all files that are opened where the checkpoint or tokenizer at `path`, a
  /// file or a folder, is read: also the shards of an index and the settings beside a tokenizer.
  /// Throws Error(kInput) where it is missing or cannot be read; `key` names the setting.
  const std::string& of(const std::string& path, const std::string& key);
  /// Of one file's bytes alone.
  const std::string& of_file(const std::filesystem::path& file);
  /// Every file that a digest was taken of so far, by canonical path.
  [[nodiscard]] std::vector<std::filesystem::path> files() const;

 private:
  std::map<std::string, std::string> known_;                 // by path of a setting
  std::map<std::filesystem::path, std::string> file_known_;  // by canonical path
};

/// Throws Error(kAudit) naming the first of `opened` that is not among the `digested` files: a
/// result made of it would not change its identity when the file changes.
void require_digested(std::span<const std::filesystem::path> opened,
                      std::span<const std::filesystem::path> digested);

/// (key, digest) of every file or folder a `model` group names, relative paths below `root`;
/// "random" where weights are random.
std::vector<std::pair<std::string, std::string>> model_digests(const ConfigNode& model,
                                                               const std::string& root,
                                                               FileDigests& files);

/// ("policy.N", digest) of the files that a policy's components opened as they were made: roles,
/// head maps.
std::vector<std::pair<std::string, std::string>> policy_digests(
    std::span<const std::filesystem::path> opened, FileDigests& files);

/// SHA-256 of the ids and texts of a prompt list.
std::string prompts_digest(const std::vector<Prompt>& prompts);

}  // namespace kvscope
