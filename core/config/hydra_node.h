#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/config/compose.h"
#include "core/config/override.h"

namespace kvscope {

/// Fills the run-time part of a composed `hydra` node: job.name, job.config_name, job.num,
/// job.override_dirname, mode, overrides.task, overrides.hydra, runtime.choices.
void fill_hydra_node(ConfigNode& hydra,
                     const ComposeRequest& request,
                     const std::vector<Override>& overrides,
                     const std::vector<std::pair<std::string, std::string>>& choices);

/// Throws Error(kConfig) where the node has keys or kinds that Hydra's own does not have.
void check_hydra_node(const ConfigNode& hydra);

/// Whether `+key` may add a key of this name: below Hydra's own node only where Hydra leaves it to
/// plug-ins and users.
bool takes_new_keys(const std::string& key);

/// Whether `hydra.PATH`, where it is not there, is not there in Hydra either. Hydra's own parts of
/// logging, help, plug-ins and run time are not all known here.
bool is_modelled_hydra_path(const std::string& path);

/// Does the override address Hydra's own node or groups ("hydra.run.dir", "hydra/launcher")?
bool is_hydra_override(const Override& override);

}  // namespace kvscope
