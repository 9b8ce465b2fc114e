#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/shell_word.h"
#include "core/config/composed_tree.h"
#include "core/config/defaults.h"
#include "core/config/hydra_node.h"
#include "core/config/interpolation.h"
#include "core/config/merge.h"
#include "core/config/override.h"

namespace kvscope {
namespace {

[[noreturn]] void fail_at(const ConfigNode& node, const std::string& what) {
  const std::string where = node.origin().text();
  throw Error(ErrorKind::kConfig, (where.empty() ? "" : where + ": ") + what);
}

/// hydra.searchpath of the primary config, its interpolations resolved within that config, or,
/// replacing it, of the first override that sets it.
ConfigNode written_search_path(const ComposeRequest& request,
                               ConfigRepository& repository,
                               const std::vector<Override>& overrides) {
  for (const Override& override : overrides) {
    if (override.key_element() == "hydra.searchpath" && !override.node().is_null()) {
      return override.node();
    }
  }
  const LoadedConfig* primary = repository.load(request.config_name);
  if (!primary) return {};
  if (!primary->body.is_map()) fail_at(primary->body, "the primary config must be a mapping");
  const ResolverContext context{nullptr, request.environment, request.now};
  const std::optional<SelectedValue> found =
      select_value(primary->body, "hydra.searchpath", context);
  if (!found) return {};
  return found->value;
}

std::vector<std::filesystem::path> search_path(const ComposeRequest& request,
                                               ConfigRepository& repository,
                                               const std::vector<Override>& overrides) {
  const ConfigNode list = written_search_path(request, repository, overrides);
  std::vector<std::filesystem::path> folders;
  if (list.is_null()) return folders;
  if (!list.is_list()) {
    fail_at(list, fmt::format("hydra.searchpath must be a list of folders, got {}",
                              kind_name(list.kind())));
  }
  for (std::string folder : list.as_string_list()) {
    if (folder.starts_with("file://")) folder.erase(0, 7);
    if (folder.find("://") != folder.npos) {
      fail_at(list, fmt::format("'{}': only folders and file:// are searched", folder));
    }
    folders.push_back(request.working_folder / folder);
  }
  return folders;
}

/// Merges one file where the defaults list puts it.
void merge_file(ConfigNode& root,
                const DefaultsEntry& entry,
                const LoadedConfig& loaded,
                bool is_primary) {
  if (entry.package.empty() && !loaded.body.is_map()) {
    fail_at(loaded.body, fmt::format("{}: {} cannot be merged into the top of the config",
                                     loaded.file, kind_name(loaded.body.kind())));
  }
  if (!is_primary && entry.config_path != "hydra/config") {
    ConfigNode placed;
    merge_config(placed, entry.package, loaded.body);
    const ConfigNode* path = placed.find("hydra.searchpath");
    if (path && !path->is_null() && !path->is_missing()) {
      fail_at(*path, "hydra.searchpath can only be set in the primary config");
    }
  }
  merge_config(root, entry.package, loaded.body);
}

void refuse_sweeps(const std::vector<Override>& overrides) {
  for (const Override& override : overrides) {
    if (override.is_sweep()) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("override '{}': several values need a sweep, -m (--multirun); "
                              "a list is written [a,b], a text in quotes: {}",
                              override.input, shell_word(as_quoted_text(override.input))));
    }
  }
}

ComposedTree compose_from(const ComposeRequest& request,
                          ConfigRepository& repository,
                          const std::vector<Override>& overrides,
                          bool skip_missing) {
  refuse_sweeps(overrides);
  const DefaultsResult defaults =
      expand_defaults(repository, request.config_name, overrides, skip_missing);
  ComposedTree composed;
  for (const DefaultsEntry& entry : defaults.entries) {
    merge_file(composed.root, entry, *repository.load(entry.config_path),
               entry.config_path == request.config_name);
  }
  for (const Override& override : defaults.value_overrides) {
    // Hydra's sweeper has no such keys, ours does.
    const bool is_own =
        override.key == "hydra.sweeper.blocks" || override.key == "hydra.sweeper.filter";
    const bool is_hydras = is_hydra_override(override) || override.key == "hydra";
    const AbsentKeys absent = is_own      ? AbsentKeys::kAdd
                              : is_hydras ? AbsentKeys::kRefuse
                                          : request.absent_keys;
    if (const auto why = apply_override(composed.root, override, absent)) {
      composed.without_effect.emplace_back(override.input, *why);
    }
  }
  ConfigNode* hydra = composed.root.child("hydra");
  if (!hydra) throw Error(ErrorKind::kConfig, "the hydra node was deleted");
  check_hydra_node(*hydra);
  fill_hydra_node(*hydra, request, overrides, defaults.choices);
  composed.choices = defaults.choices;
  return composed;
}

ComposedTree compose_with_search_path(const ComposeRequest& request,
                                      ConfigRepository& repository,
                                      bool skip_missing) {
  const std::vector<Override> overrides = parse_overrides(request.overrides);
  const std::vector<std::filesystem::path> more = search_path(request, repository, overrides);
  if (more.empty()) return compose_from(request, repository, overrides, skip_missing);
  std::vector<std::filesystem::path> folders = repository.folders();
  folders.insert(folders.end(), more.begin(), more.end());
  ConfigRepository wider(folders);
  return compose_from(request, wider, overrides, skip_missing);
}

}  // namespace

ConfigNode compose_unresolved(const ComposeRequest& request, ConfigRepository& repository) {
  return compose_with_search_path(request, repository, true).root;
}

ComposedTree compose_tree(const ComposeRequest& request, ConfigRepository& repository) {
  return compose_with_search_path(request, repository, false);
}

std::vector<std::filesystem::path> searched_folders(const ComposeRequest& request,
                                                    ConfigRepository& repository) {
  std::vector<std::filesystem::path> folders = repository.folders();
  for (std::filesystem::path& folder :
       search_path(request, repository, parse_overrides(request.overrides))) {
    folders.push_back(std::move(folder));
  }
  return folders;
}

DefaultsResult defaults_of(const ComposeRequest& request, ConfigRepository& repository) {
  const std::vector<Override> overrides = parse_overrides(request.overrides);
  refuse_sweeps(overrides);
  ConfigRepository searched(searched_folders(request, repository));
  return expand_defaults(searched, request.config_name, overrides);
}

Composition compose(const ComposeRequest& request, ConfigRepository& repository) {
  return resolve_tree(compose_tree(request, repository), request);
}

Composition resolve_tree(const ComposedTree& composed, const ComposeRequest& request) {
  Composition result;
  result.unresolved = composed.root;
  result.unresolved.erase("hydra");
  const ResolverContext context{&composed.root, request.environment, request.now,
                                request.resolvers};
  result.config = resolve_interpolations(result.unresolved, context);
  result.hydra = resolve_where_possible(*composed.root.child("hydra"), "hydra", context);
  // Overrides are recorded as typed, interpolations and all.
  result.hydra.set("overrides", composed.root.at("hydra.overrides"));
  result.config.label_paths();
  result.unresolved.label_paths();
  result.hydra.label_paths("hydra");
  result.without_effect = composed.without_effect;
  for (const auto& choice : composed.choices) {
    if (!choice.first.starts_with("hydra/")) result.choices.push_back(choice);
  }
  return result;
}

Composition compose(const ComposeRequest& request) {
  ConfigRepository repository(request.folders);
  return compose(request, repository);
}

std::vector<std::string> group_options(const std::vector<std::filesystem::path>& folders,
                                       const std::string& group) {
  return ConfigRepository(folders).options(group);
}

std::vector<std::string> config_groups(const std::vector<std::filesystem::path>& folders) {
  return ConfigRepository(folders).groups();
}

}  // namespace kvscope
