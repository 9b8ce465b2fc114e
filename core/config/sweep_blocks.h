#pragma once

#include <string>
#include <vector>

#include "core/config/value.h"

namespace kvscope {

/// One override of a sweep that a configuration defines, and where it is written.
struct SweeperParameter {
  std::string input{};  ///< "policy=full,h2o"
  ConfigOrigin origin{};
};

/// hydra.sweeper.params of a `hydra` node, in order. Throws Error(kConfig) for what is no mapping.
std::vector<SweeperParameter> sweeper_params(const ConfigNode& hydra);

/// hydra.sweeper.blocks: grids whose points follow each other, each a mapping as params are, or a
/// list of overrides. Empty where there are none. Throws Error(kConfig) with file, line and column.
std::vector<std::vector<SweeperParameter>> sweeper_blocks(const ConfigNode& hydra);

/// Throws Error(kConfig) with the place and the nearest name for what hydra.sweeper holds beside
/// params, blocks, filter and max_batch_size: the sweeper reads nothing else.
void check_sweeper(const ConfigNode& hydra);

/// Every key that params and blocks sweep over, those inside zip(..) themselves, each once, with
/// where that is written. What cannot be parsed is left out.
std::vector<SweeperParameter> swept_keys(const ConfigNode& hydra);

}  // namespace kvscope
