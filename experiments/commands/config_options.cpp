#include "experiments/commands/config_options.h"

namespace kvscope {

void add_plugin_option(CLI::App& command, ConfigArguments& arguments) {
  command
      .add_option("--plugin", arguments.plugins,
                  "library with components of policies (docs/own_policy.md); repeatable")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false)  // what follows is another argument
      ->type_name("FILE");
}

void add_config_options(CLI::App& command, ConfigArguments& arguments) {
  command
      .add_option("--config-dir", arguments.config_folder,
                  "folder of configs that stands before the own ones (-cd)")
      ->type_name("FOLDER");
  command.add_option("--config-name", arguments.config_name, "primary config (-cn)")
      ->type_name("CONFIG");
  add_plugin_option(command, arguments);
  command.add_flag("-m,--multirun", arguments.multirun, "sweep over comma-separated values");
  command.add_option("overrides", arguments.overrides, "group=option, key=value, +key=value, ~key")
      ->type_name("OVERRIDE");
}

}  // namespace kvscope
