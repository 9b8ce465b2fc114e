#include "core/config/repository.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "core/base/error.h"
#include "core/config/builtin_configs.h"
#include "core/config/yaml.h"

namespace kvscope {
namespace {

/// The package of a `# @package NAME` line in the comments at the top; headers are absolute.
std::optional<std::string> package_header(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  while (std::getline(stream, line)) {
    const size_t start = line.find_first_not_of(" \t\r");
    if (start == line.npos) continue;
    const size_t mark = line.find_first_not_of("# \t", start);
    if (line[start] != '#' || mark == line.npos || line[mark] != '@') return std::nullopt;
    std::istringstream words(line.substr(mark));
    std::vector<std::string> parts;
    for (std::string word; words >> word;) parts.push_back(word);
    if (parts.size() != 2) {
      throw Error(ErrorKind::kConfig, fmt::format("{}: the header '{}' must be '# @package NAME'",
                                                  file.string(), line));
    }
    if (parts[0] == "@package") return parts[1];
  }
  return std::nullopt;
}

LoadedConfig take_apart(ConfigNode node, const std::string& file) {
  LoadedConfig loaded;
  loaded.file = file;
  if (node.is_null()) node = ConfigNode::map();
  if (!node.is_map()) {
    throw Error(ErrorKind::kConfig, fmt::format("{}: a config file holds a mapping, not {}", file,
                                                kind_name(node.kind())));
  }
  if (const ConfigNode* defaults = node.child("defaults")) {
    if (!defaults->is_list()) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: 'defaults' must be a list, not {}", defaults->origin().text(),
                              kind_name(defaults->kind())));
    }
    loaded.defaults = *defaults;
    node.erase("defaults");
  }
  loaded.body = std::move(node);
  return loaded;
}

/// What editors, file managers and version control keep beside files is no part of a configuration.
bool is_hidden(const std::filesystem::path& path) {
  return path.filename().string().starts_with('.');
}

bool safe_path(const std::string& config_path) {
  return !config_path.empty() && config_path.find("..") == config_path.npos &&
         config_path.front() != '/' && config_path.find('\0') == config_path.npos;
}

}  // namespace

ConfigRepository::ConfigRepository(std::vector<std::filesystem::path> folders)
    : folders_(std::move(folders)) {}

const LoadedConfig* ConfigRepository::load(const std::string& config_path) {
  const auto known = loaded_.find(config_path);
  if (known != loaded_.end()) return known->second ? &*known->second : nullptr;
  std::optional<LoadedConfig>& slot = loaded_[config_path];
  if (!safe_path(config_path)) return nullptr;
  for (const std::filesystem::path& folder : folders_) {
    const std::filesystem::path file = folder / (config_path + ".yaml");
    std::error_code code;
    if (!std::filesystem::exists(file, code)) continue;
    slot = take_apart(load_yaml_file(file), file.string());
    slot->package = package_header(file);
    return &*slot;
  }
  const auto builtin = builtin_configs().find(config_path);
  if (builtin == builtin_configs().end()) return nullptr;
  const std::string name = "built-in " + config_path + ".yaml";
  slot = take_apart(load_yaml_text(builtin->second, name), name);
  return &*slot;
}

bool ConfigRepository::group_exists(const std::string& group) const {
  if (!safe_path(group)) return false;
  for (const std::filesystem::path& folder : folders_) {
    std::error_code code;
    if (std::filesystem::is_directory(folder / group, code)) return true;
  }
  return std::ranges::any_of(
      builtin_configs(), [&](const auto& config) { return config.first.starts_with(group + "/"); });
}

std::vector<std::string> ConfigRepository::options(const std::string& group) const {
  std::set<std::string> names;
  const std::string prefix = group.empty() ? "" : group + "/";
  for (const auto& [path, text] : builtin_configs()) {
    const bool direct = path.starts_with(prefix) && path.find('/', prefix.size()) == path.npos;
    if (direct && !group.empty()) names.insert(path.substr(prefix.size()));
  }
  for (const std::filesystem::path& folder : folders_) {
    std::error_code code;
    for (const auto& entry : std::filesystem::directory_iterator(folder / group, code)) {
      const std::filesystem::path& file = entry.path();
      if (is_hidden(file) || file.extension() != ".yaml") continue;
      if (entry.is_regular_file(code)) names.insert(file.stem());
    }
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> ConfigRepository::groups() const {
  std::set<std::string> names;
  for (const std::filesystem::path& folder : folders_) {
    std::error_code code;
    for (auto entry = std::filesystem::recursive_directory_iterator(folder, code);
         !code && entry != std::filesystem::recursive_directory_iterator(); entry.increment(code)) {
      if (is_hidden(entry->path())) {
        entry.disable_recursion_pending();
      } else if (entry->is_directory(code)) {
        names.insert(std::filesystem::relative(entry->path(), folder, code).generic_string());
      }
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace kvscope
