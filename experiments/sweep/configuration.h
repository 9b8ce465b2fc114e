#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/config/compose.h"
#include "policies/registry.h"

namespace kvscope {

/// The part of a command line that chooses a configuration.
struct ConfigArguments {
  std::filesystem::path config_folder{};  ///< --config-dir; empty: found, see find_config_folder
  std::string config_name = "config";     ///< --config-name
  std::vector<std::string> overrides{};   ///< free arguments, Hydra's spelling
  bool multirun = false;                  ///< -m
  std::vector<std::string> plugins{};     ///< --plugin: libraries with components of policies
};

/// The built-in components and those of the plug-ins on the command line. Throws as load_plugin().
std::shared_ptr<const ComponentRegistry> component_registry(const ConfigArguments& arguments);

/// The folder of YAML groups: KVSCOPE_CONFIGS, or the first `configs/config.yaml` beside the
/// program or above it (a build tree lies in its checkout, a bundle's bin/ beside its configs/).
/// Throws Error(kEnvironment) naming where it looked.
std::filesystem::path find_config_folder();

/// What to compose: --config-dir stands before the found folder, as in Hydra; interpolations see
/// this process's environment. Overrides may name keys that no file lists: who reads them judges.
ComposeRequest compose_request(const ConfigArguments& arguments);

/// Where relative paths of a model group start: the parent of the folder found.
std::filesystem::path data_root();

}  // namespace kvscope
