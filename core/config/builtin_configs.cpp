#include "core/config/builtin_configs.h"

namespace kvscope {

/// The part of Hydra's own configuration that a job can see. Group options that only steer Python's
/// logging and help texts are accepted and empty.
const std::map<std::string, std::string>& builtin_configs() {
  static const std::map<std::string, std::string> configs{
      {"hydra/config", R"(
defaults:
  - output: default
  - launcher: basic
  - sweeper: basic
  - help: default
  - hydra_help: default
  - hydra_logging: default
  - job_logging: default
  - callbacks: null
  - env: default
mode: null
searchpath: []
run: {dir: "outputs/${now:%Y-%m-%d}/${now:%H-%M-%S}"}
sweep: {dir: "multirun/${now:%Y-%m-%d}/${now:%H-%M-%S}", subdir: "${hydra.job.num}"}
output: {}
launcher: {}
sweeper: {}
help: {}
hydra_help: {}
hydra_logging: {}
job_logging: {}
env: {}
callbacks: {}
overrides: {hydra: [], task: []}
job:
  name: "???"
  chdir: null
  override_dirname: "???"
  id: "???"
  num: "???"
  config_name: "???"
  env_set: {}
  env_copy: []
  config: {override_dirname: {kv_sep: "=", item_sep: ",", exclude_keys: []}}
runtime: {choices: {}, cwd: "???", output_dir: "???"}
output_subdir: .hydra
verbose: false
)"},
      {"hydra/output/default", ""},
      {"hydra/launcher/basic", ""},
      {"hydra/sweeper/basic", "max_batch_size: null\nparams: null\n"},
      {"hydra/help/default", ""},
      {"hydra/hydra_help/default", ""},
      {"hydra/hydra_logging/default", ""},
      {"hydra/hydra_logging/disabled", ""},
      {"hydra/hydra_logging/none", ""},
      {"hydra/hydra_logging/hydra_debug", ""},
      {"hydra/job_logging/default", ""},
      {"hydra/job_logging/disabled", ""},
      {"hydra/job_logging/none", ""},
      {"hydra/job_logging/stdout", ""},
      {"hydra/env/default", ""},
  };
  return configs;
}

}  // namespace kvscope
