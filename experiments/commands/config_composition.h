#pragma once

#include <string>

#include "experiments/sweep/configuration.h"

namespace kvscope {

/// The words that config_composition_text() knows, as "all|config|defaults".
std::string config_composition_kinds();

/// How a configuration comes about, as Hydra's --info says it: its defaults list in the order of
/// composition (`defaults`), as a tree (`defaults-tree`), the groups with their options (`groups`),
/// the folders that are searched (`searchpath`), the config itself (`config`), or `all` of it.
/// Throws Error(kConfig) with the nearest word.
std::string config_composition_text(const ConfigArguments& arguments, const std::string& what);

}  // namespace kvscope
