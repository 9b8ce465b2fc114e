#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config/value.h"

namespace kvscope {

/// One config file taken apart.
struct LoadedConfig {
  std::string file;                    // as messages name it
  ConfigNode body;                     // a map, without `defaults`
  std::optional<ConfigNode> defaults;  // the defaults list as written
  std::optional<std::string> package;  // of a `# @package NAME` header, relative to _global_
};

/// The config files of several folders seen as one tree of groups: the first folder that has a file
/// wins. Behind the folders stand Hydra's own defaults (hydra/config and its groups). Files are
/// read once; points of a sweep are composed on the trees.
class ConfigRepository {
 public:
  explicit ConfigRepository(std::vector<std::filesystem::path> folders);

  [[nodiscard]] const std::vector<std::filesystem::path>& folders() const { return folders_; }

  /// "policy/scalekv" -> the parsed file; null pointer if no folder has it. Throws as
  /// load_yaml_file.
  const LoadedConfig* load(const std::string& config_path);
  /// Is there a folder (or built-in group) of that name?
  [[nodiscard]] bool group_exists(const std::string& group) const;
  /// Config files directly in the group, without .yaml, sorted; "" lists the primary configs.
  [[nodiscard]] std::vector<std::string> options(const std::string& group) const;
  /// All groups of the folders, sorted.
  [[nodiscard]] std::vector<std::string> groups() const;

 private:
  std::vector<std::filesystem::path> folders_;
  std::map<std::string, std::optional<LoadedConfig>> loaded_;
};

}  // namespace kvscope
