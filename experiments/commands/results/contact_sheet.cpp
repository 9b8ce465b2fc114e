#include "experiments/commands/results/contact_sheet.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "experiments/commands/command_registrar.h"
#include "experiments/commands/results/results_folder_option.h"
#include "experiments/commands/results/sweep_figures.h"
#include "experiments/results/point_filter.h"

namespace kvscope {

int contact_sheet_command(const ContactSheetOptions& options) {
  const SweepSummary sweep = points_with(summarise_sweep(options.folder), options.only);
  const std::vector<SweepSummary> models = by_model(sweep);
  for (const SweepSummary& model : models) {
    const ContactSheet sheet = sweep_contact_sheet(model, options.prompts, options.magnification);
    const Canvas canvas = draw_contact_sheet(sheet);
    const std::string stem = figure_path(model, "contact_sheet", models.size()).string();
    canvas.write(stem + ".svg", contact_sheet_info(sheet));
    canvas.write(stem + ".png", contact_sheet_info(sheet));
    fmt::print("{}.svg\n{}.png\n", stem, stem);
  }
  return 0;
}

void register_sheet(const CommandRegistrar& registrar) {
  const auto options = std::make_shared<ContactSheetOptions>();
  CLI::App& command = registrar.add("sheet", "contact sheet: one row per policy and budget",
                                    [options] { return contact_sheet_command(*options); });
  add_results_folder(command, options->folder);
  command.add_option("--prompts", options->prompts, "columns at most");
  command.add_option("--magnification", options->magnification, "pixels per pixel; 0: fitting");
  command.add_option("--only", options->only,
                     "label=value: only these points, and full caches (budget=20%)");
}

}  // namespace kvscope
