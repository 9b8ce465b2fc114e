#include "experiments/commands/paper/paper_list.h"

#include <fmt/format.h>

#include "experiments/commands/json_output.h"
#include "experiments/commands/table_json.h"
#include "experiments/paper/paper_item.h"
#include "experiments/report/tables/table.h"
#include "experiments/sweep/configuration.h"
#include "experiments/terminal.h"

namespace kvscope {

int paper_list_command(const std::filesystem::path& config_folder, bool json) {
  ConfigRepository repository(compose_request({.config_folder = config_folder}).folders);
  Table table;
  table.columns = {{.header = "name", .align = Align::kLeft, .importance = Importance::kRow},
                   {.header = "shows", .align = Align::kLeft},
                   {.header = "runs here", .align = Align::kLeft},
                   {.header = "minutes", .decimals = 0},
                   {.header = "of", .align = Align::kLeft, .importance = Importance::kDetail}};
  for (const PaperItem& item : paper_items(repository)) {
    const std::string runs = item.commands.empty() ? "no: " + item.needs
                             : item.needs.empty()  ? "yes"
                                                   : "with " + item.needs;
    table.rows.push_back(
        {.cells = {TableCell::text(item.name), TableCell::text(item.shows), TableCell::text(runs),
                   item.commands.empty() ? TableCell::missing("it cannot be run")
                                         : TableCell::number(static_cast<double>(item.minutes)),
                   TableCell::text(fmt::format("{}, {}", item.work, item.item))}});
  }
  if (json) {
    print_json({{"table", table_json(table)}});
    return 0;
  }
  fmt::print("{}kvscope paper run NAME makes one; minutes are of two cores\n",
             console_table(table, console_style()));
  return 0;
}

}  // namespace kvscope
