#include "experiments/commands/contact_sheet.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "experiments/commands/sweep_figures.h"
#include "experiments/results/point_filter.h"

namespace kvscope {

int contact_sheet_command(const ContactSheetOptions& options) {
  const SweepSummary sweep = points_with(summarise_sweep(options.folder), options.only);
  const std::vector<SweepSummary> models = by_model(sweep);
  for (const SweepSummary& model : models) {
    const ContactSheet sheet = sweep_contact_sheet(model, options.prompts, options.magnification);
    const Canvas canvas = draw_contact_sheet(sheet);
    const std::string stem = figure_path(model, "contact_sheet", models.size()).string();
    canvas.write_svg(stem + ".svg", contact_sheet_info(sheet));
    canvas.write_png(stem + ".png", contact_sheet_info(sheet));
    fmt::print("{}.svg\n{}.png\n", stem, stem);
  }
  return 0;
}

}  // namespace kvscope
