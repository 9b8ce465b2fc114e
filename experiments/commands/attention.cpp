#include "experiments/commands/attention.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "analysis/attention/attention_file.h"
#include "analysis/attention/selectivity.h"
#include "experiments/report/heatmap.h"
#include "experiments/report/table.h"

namespace kvscope {
namespace {

std::string step_name(const StepInfo& step) {
  return fmt::format("{} ({}x{})", step.index, step.grid_height, step.grid_width);
}

double mean_current_mass(const AttentionRecord& record, int64_t layer, int64_t step) {
  double mass = 0;
  for (int64_t head = 0; head < record.heads; ++head) mass += record.mass(layer, head, step, step);
  return mass / static_cast<double>(record.heads);
}

double mean_top_mass(const AttentionRecord& record, int64_t layer, int64_t step) {
  double mass = 0;
  for (int64_t head = 0; head < record.heads; ++head) {
    mass += record.history_top_mass[record.at(layer, head, step)];
  }
  return mass / static_cast<double>(record.heads);
}

std::vector<std::string> provenance_of(const AttentionRecord& record) {
  if (record.point_hash.empty()) return {};
  return {record.point_hash.substr(0, 12)};
}

/// Drafters first, by rising Z-score; all pairs with a history.
Table roles_table(const AttentionRecord& record, const LayerRoles& roles) {
  Table table;
  table.title =
      fmt::format("Drafters and refiners{}{}", record.model.empty() ? "" : " of ", record.model);
  table.columns = {{.header = "role", .align = Align::kLeft},
                   {.header = "layer", .decimals = 0},
                   {.header = "scale", .align = Align::kLeft},
                   {.header = "current mass", .decimals = 4},
                   {.header = fmt::format("top {} of history", record.top_keys), .decimals = 4},
                   {.header = "ASI", .decimals = 4},
                   {.header = "Z", .decimals = 3}};
  const auto steps = static_cast<int64_t>(record.steps.size());
  std::vector<int64_t> order;
  for (int64_t pair = 0; pair < record.layers * steps; ++pair) {
    if (roles.role[pair] != LayerRole::kNone) order.push_back(pair);
  }
  std::ranges::stable_sort(order, [&](int64_t a, int64_t b) {
    if (roles.role[a] != roles.role[b]) return roles.role[a] == LayerRole::kDrafter;
    return roles.z_score[a] < roles.z_score[b];
  });
  for (const int64_t pair : order) {
    const int64_t layer = pair / steps;
    const int64_t step = pair % steps;
    const bool drafter = roles.role[pair] == LayerRole::kDrafter;
    table.rows.push_back({.cells = {TableCell::text(drafter ? "drafter" : "refiner"),
                                    TableCell::number(static_cast<double>(layer)),
                                    TableCell::text(step_name(record.steps[step])),
                                    TableCell::number(mean_current_mass(record, layer, step)),
                                    TableCell::number(mean_top_mass(record, layer, step)),
                                    TableCell::number(roles.selectivity[pair]),
                                    TableCell::number(roles.z_score[pair])},
                          .reference = drafter});
  }
  table.provenance = provenance_of(record);
  return table;
}

Heatmap roles_map(const AttentionRecord& record, const LayerRoles& roles) {
  const auto steps = static_cast<int64_t>(record.steps.size());
  Heatmap map;
  map.title = "Attention Selectivity Index, Z-score within each scale";
  map.subtitle = fmt::format("{}{}{} images, top {} keys of history", record.model,
                             record.model.empty() ? "" : ", ", record.images, record.top_keys);
  map.row_axis = "layer";
  map.column_axis = "scale";
  map.value_label = "Z-score";
  for (int64_t layer = 0; layer < record.layers; ++layer) {
    map.row_labels.push_back(fmt::format("{}", layer));
  }
  for (const StepInfo& step : record.steps)
    map.column_labels.push_back(fmt::format("{}", step.index));
  map.values = roles.z_score;
  for (int64_t pair = 0; pair < record.layers * steps; ++pair) {
    if (roles.role[pair] == LayerRole::kDrafter) {
      map.marks.push_back({.row = pair / steps, .column = pair % steps, .text = "D"});
    }
  }
  map.marks_note =
      fmt::format("D: drafter ({} lowest Z-scores); hatched: no history", roles.drafters);
  map.provenance = provenance_of(record);
  return map;
}

}  // namespace

int attention_roles_command(const AttentionRolesOptions& options) {
  const AttentionRecord record = read_attention(options.file);
  const LayerRoles roles = layer_roles(record, options.drafters);
  const Heatmap map = roles_map(record, roles);
  const Canvas canvas = draw_heatmap(map);
  const std::string stem =
      (options.file.parent_path() / (options.file.stem().string() + "-roles")).string();
  constexpr double kPngScale = 2;
  canvas.write_svg(stem + ".svg", heatmap_info(map));
  canvas.write_png(stem + ".png", heatmap_info(map), kPngScale);
  fmt::print("{}{}.svg\n{}.png\n", console_table(roles_table(record, roles)), stem, stem);
  return 0;
}

}  // namespace kvscope
