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
  std::string config_path;   // "policy/scalekv"
  std::string package;       // dotted place in the config, "" = top
  std::string parent;        // config whose defaults list named it, "<root>" for the primary
  bool is_self = false;      // stands where its own defaults list says _self_
  std::string override_key;  // "policy", "db@src"; "" for plain configs
};

struct DefaultsResult {
  std::vector<DefaultsEntry> entries;
  std::vector<std::pair<std::string, std::string>>
      choices;                            // override key -> option, "null" if none
  std::vector<Override> value_overrides;  // the overrides that choose no group option
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
