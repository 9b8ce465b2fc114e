#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/config/value.h"
#include "experiments/sweep/settings.h"

namespace kvscope {

/// SHA-256 of files, each read once.
class FileDigests {
 public:
  /// 64 hex digits of the file, or of a folder's checkpoint files by name. Throws Error(kInput)
  /// where it is missing or cannot be read; `key` names the setting.
  const std::string& of(const std::string& path, const std::string& key);

 private:
  std::map<std::string, std::string> known_;
};

/// (key, digest) of every file a `model` group names, relative paths below `root`; "random" where
/// weights are random.
std::vector<std::pair<std::string, std::string>> model_digests(const ConfigNode& model,
                                                               const std::string& root,
                                                               FileDigests& files);

/// ("policy.KEY", digest) of every file that a string of a `policy` group names: roles, head maps.
std::vector<std::pair<std::string, std::string>> policy_digests(const ConfigNode& policy,
                                                                FileDigests& files);

/// SHA-256 of the ids and texts of a prompt list.
std::string prompts_digest(const std::vector<Prompt>& prompts);

}  // namespace kvscope
