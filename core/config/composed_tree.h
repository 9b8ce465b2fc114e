#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/config/compose.h"

namespace kvscope {

/// A composed configuration before interpolation.
struct ComposedTree {
  ConfigNode root;  // as written, the `hydra` node included
  std::vector<std::pair<std::string, std::string>> choices;         // those of hydra/ groups, too
  std::vector<std::pair<std::string, std::string>> without_effect;  // as in Composition
};

/// The two halves of compose(): the first composes and applies the overrides, the second resolves
/// interpolations.
ComposedTree compose_tree(const ComposeRequest& request, ConfigRepository& repository);
Composition resolve_tree(const ComposedTree& tree, const ComposeRequest& request);

}  // namespace kvscope
