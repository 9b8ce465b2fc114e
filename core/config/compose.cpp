#include "core/config/compose.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/shell_word.h"
#include "core/config/defaults.h"
#include "core/config/hydra_node.h"
#include "core/config/interpolation.h"
#include "core/config/merge.h"
#include "core/config/override.h"

namespace kvscope {
namespace {

/// hydra.searchpath of the primary config or, replacing it, of the command line.
std::vector<std::filesystem::path> search_path(const ComposeRequest& request,
                                               ConfigRepository& repository,
                                               const std::vector<Override>& overrides) {
  ConfigNode list;
  if (const LoadedConfig* primary = repository.load(request.config_name)) {
    if (const ConfigNode* written = primary->body.find("hydra.searchpath")) list = *written;
  }
  for (const Override& override : overrides) {
    if (override.key == "hydra.searchpath") list = override.node();
  }
  std::vector<std::filesystem::path> folders;
  if (list.is_null()) return folders;
  if (!list.is_list()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: hydra.searchpath must be a list of folders, got {}",
                            list.origin().text(), kind_name(list.kind())));
  }
  for (std::string folder : list.as_string_list()) {
    if (folder.starts_with("file://")) folder.erase(0, 7);
    if (folder.find("://") != folder.npos) {
      throw Error(ErrorKind::kConfig, fmt::format("{}: '{}': only folders and file:// are searched",
                                                  list.origin().text(), folder));
    }
    folders.push_back(request.working_folder / folder);
  }
  return folders;
}

struct Composed {
  ConfigNode root;  // hydra node included
  std::vector<std::pair<std::string, std::string>> choices;
  std::vector<std::pair<std::string, std::string>> without_effect;
};

Composed compose_tree(const ComposeRequest& request,
                      ConfigRepository& repository,
                      const std::vector<Override>& overrides,
                      bool skip_missing) {
  for (const Override& override : overrides) {
    if (override.is_sweep()) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("override '{}': several values need a sweep, -m (--multirun); "
                              "a list is written [a,b], a text in quotes: {}",
                              override.input, shell_word(as_quoted_text(override.input))));
    }
  }
  const DefaultsResult defaults =
      expand_defaults(repository, request.config_name, overrides, skip_missing);
  Composed composed;
  for (const DefaultsEntry& entry : defaults.entries) {
    merge_config(composed.root, entry.package, repository.load(entry.config_path)->body);
  }
  for (const Override& override : defaults.value_overrides) {
    const AbsentKeys absent =
        is_hydra_override(override) ? AbsentKeys::kRefuse : request.absent_keys;
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

Composed compose_with_search_path(const ComposeRequest& request,
                                  ConfigRepository& repository,
                                  bool skip_missing) {
  const std::vector<Override> overrides = parse_overrides(request.overrides);
  const std::vector<std::filesystem::path> more = search_path(request, repository, overrides);
  if (more.empty()) return compose_tree(request, repository, overrides, skip_missing);
  std::vector<std::filesystem::path> folders = repository.folders();
  folders.insert(folders.end(), more.begin(), more.end());
  ConfigRepository wider(folders);
  return compose_tree(request, wider, overrides, skip_missing);
}

}  // namespace

ConfigNode compose_unresolved(const ComposeRequest& request, ConfigRepository& repository) {
  return compose_with_search_path(request, repository, true).root;
}

Composition compose(const ComposeRequest& request, ConfigRepository& repository) {
  const Composed composed = compose_with_search_path(request, repository, false);
  Composition result;
  result.unresolved = composed.root;
  result.unresolved.erase("hydra");
  const ResolverContext context{&composed.root, request.environment, request.now};
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
