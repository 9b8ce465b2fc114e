#include <memory>

#include "experiments/commands/command_registrar.h"
#include "experiments/commands/json_output.h"
#include "experiments/commands/paper/paper_list.h"
#include "experiments/commands/paper/paper_run.h"

namespace kvscope {

void register_paper(const CommandRegistrar& registrar) {
  const CommandRegistrar group =
      registrar.group("paper", "figures and tables of the papers behind kvscope: list, run");
  const auto config_folder = std::make_shared<std::filesystem::path>();
  const auto json = std::make_shared<bool>(false);
  CLI::App& list = group.add("list", "what there is, and whether it runs here",
                             [=] { return paper_list_command(*config_folder, *json); });
  list.add_option("--config-dir", *config_folder, "as for run")->type_name("FOLDER");
  add_json_flag(list, *json);

  const auto options = std::make_shared<PaperRunOptions>();
  CLI::App& run = group.add("run", "makes one: its commands in order, published beside measured",
                            [options] { return paper_run_command(*options); });
  run.add_option("name", options->name, "of kvscope paper list, or its beginning")
      ->required()
      ->type_name("ITEM");
  run.add_option("overrides", options->overrides, "for its commands, such as model=infinity_2b")
      ->type_name("OVERRIDE");
  run.add_option("-o,--out", options->folder, "results; otherwise outputs/paper/NAME");
  run.add_option("--config-dir", options->config_folder, "as for run")->type_name("FOLDER");
  run.add_flag("--dry-run", options->dry, "print the commands, run nothing");
}

}  // namespace kvscope
