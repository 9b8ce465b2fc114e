#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/config/compose.h"

namespace kvscope {

/// The override list of every point of a sweep: the cartesian product, the first swept key slowest,
/// as Hydra's basic sweeper orders it. `a=1,2`, `a=choice(..)`, `a=range(..)` and `a=glob(..)`
/// sweep; commas inside [], {}, () or quotes do not. The composed config's `hydra.sweeper.params`
/// (also when it comes from an experiment file) adds its keys in front; a key on the command line
/// replaces its entry. `request.overrides` are the arguments as typed. `hydra.*` arguments go to
/// every point, last. An empty range or glob gives no points. Throws Error(kConfig).
std::vector<std::vector<std::string>> expand_sweep(const ComposeRequest& request);

/// The product alone, without looking at hydra.sweeper.params: `params` are (key, value text)
/// pairs.
std::vector<std::vector<std::string>> expand_overrides(
    const std::vector<std::string>& overrides,
    const std::vector<std::pair<std::string, std::string>>& params,
    const std::vector<std::filesystem::path>& folders);

}  // namespace kvscope
