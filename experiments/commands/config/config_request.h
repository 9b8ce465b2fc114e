#pragma once

#include <filesystem>

#include "core/config/compose.h"

namespace kvscope {

/// A request for a tree of YAML files of anyone's: Hydra's rules, without kvscope's own folders and
/// keys; `hydra.job.name` is app. This process's environment and working folder.
ComposeRequest tree_request(const std::filesystem::path& folder);

}  // namespace kvscope
