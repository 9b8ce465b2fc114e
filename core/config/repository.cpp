#include "core/config/repository.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "core/base/error.h"
#include "core/config/builtin_configs.h"
#include "core/config/interpolation.h"
#include "core/config/yaml_text.h"

namespace kvscope {
namespace {

/// The first `count` characters of a UTF-8 text.
std::string_view first_characters(std::string_view text, size_t count) {
  size_t end = 0;
  while (end < text.size() && count > 0) {
    ++end;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
    --count;
  }
  return text.substr(0, end);
}

/// The package of the `# @package NAME` lines at the top, of which the last counts. Hydra looks at
/// 512 characters.
std::optional<std::string> package_header(const std::string& text, const std::string& file) {
  constexpr size_t kHeaderCharacters = 512;
  std::istringstream stream{std::string(first_characters(text, kHeaderCharacters))};
  std::optional<std::string> package;
  for (std::string line; std::getline(stream, line);) {
    const size_t start = line.find_first_not_of(" \t\r");
    if (start == line.npos) continue;
    const size_t mark = line.find_first_not_of(" \t", start + 1);
    if (line[start] != '#' || mark == line.npos || line[mark] != '@') break;
    const size_t end = line.find_last_not_of(" \t\r") + 1;
    std::istringstream words(line.substr(mark, end - mark));
    std::vector<std::string> parts;
    for (std::string word; std::getline(words, word, ' ');) {
      if (!word.empty()) parts.push_back(word);
    }
    if (parts.size() != 2) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: the header '{}' must be '# @package NAME'", file, line));
    }
    if (parts[0] == "@package") package = parts[1];
  }
  return package;
}

/// OmegaConf reads the text of a file that holds only a text once more; a word becomes a key.
ConfigNode text_as_mapping(const ConfigNode& node, const std::string& file) {
  ConfigNode inner = load_yaml_text(node.as_string(), file);
  if (!inner.is_string()) return inner;
  ConfigNode map = ConfigNode::map();
  map.set_origin(node.origin());
  map.set(inner.as_string(), ConfigNode());
  return map;
}

LoadedConfig take_apart(ConfigNode node, const std::string& file) {
  LoadedConfig loaded;
  loaded.file = file;
  if (node.is_string()) node = text_as_mapping(node, file);
  if (node.is_null()) node = ConfigNode::map();
  if (!node.is_container()) {
    throw Error(ErrorKind::kConfig, fmt::format("{}: a config file holds a mapping, not {}", file,
                                                kind_name(node.kind())));
  }
  check_values(node);
  if (const ConfigNode* defaults = node.is_map() ? node.child("defaults") : nullptr) {
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

/// Inside the folders: relative, and never upwards.
bool safe_path(const std::string& config_path) {
  return !config_path.empty() && config_path.front() != '/' &&
         config_path.find('\0') == config_path.npos &&
         ("/" + config_path + "/").find("/../") == std::string::npos;
}

/// The file of a config; its name may be written with its extension.
std::string file_name(const std::string& config_path) {
  return config_path.ends_with(".yaml") ? config_path : config_path + ".yaml";
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
    const std::filesystem::path file = folder / file_name(config_path);
    std::error_code code;
    if (!std::filesystem::is_regular_file(file, code)) continue;
    const std::string text = read_yaml_file(file);
    slot = take_apart(load_yaml_text(text, file.string()), file.string());
    slot->package = package_header(text, file.string());
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
