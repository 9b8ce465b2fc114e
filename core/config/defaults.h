#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/config/override.h"
#include "core/config/repository.h"

namespace kvscope {

/// One config file of the final, flat defaults list, in the order of composition.
struct DefaultsEntry {
  std::string config_path{};   // "policy/scalekv"
  std::string package{};       // dotted place in the config, "" = top
  std::string parent{};        // config whose defaults list named it, "<root>" for the primary
  bool is_self = false;        // stands where its own defaults list says _self_
  std::string override_key{};  // "policy", "db@src"; "" for plain configs
  std::string chosen_at{};  // where it was named: file:line:column, or the override; "" = primary
  std::vector<size_t> nodes{};  // of the tree of defaults, from its top down to this
};

/// One line of the tree of defaults lists: a config with what its own list holds below it.
struct DefaultsLine {
  size_t depth = 0;
  std::string text;  // "<root>:", "config:", "policy: snapkv", "hydra/callbacks: null", "_self_"
};

struct DefaultsResult {
  std::vector<DefaultsEntry> entries;
  std::vector<std::pair<std::string, std::string>>
      choices;                            // override key -> option, "null" if none
  std::vector<Override> value_overrides;  // the overrides that choose no group option
  std::vector<DefaultsLine> tree;         // as Hydra prints it for --info defaults-tree
};

/// Expands the defaults lists of the built-in hydra/config and of the primary config, with group
/// choices from the overrides and from `override` items: Hydra's algorithm, which visits every list
/// from its end so that later items can override earlier ones. `skip_missing`: a group whose option
/// is still `???` is left out instead of being an error. Throws Error(kConfig).
DefaultsResult expand_defaults(ConfigRepository& repository,
                               const std::string& config_name,
                               const std::vector<Override>& overrides,
                               bool skip_missing = false);

}  // namespace kvscope
