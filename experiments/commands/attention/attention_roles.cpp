#include "experiments/commands/attention/attention_roles.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "analysis/attention/attention_file.h"
#include "analysis/attention/selectivity.h"
#include "core/base/console.h"
#include "core/base/error.h"
#include "experiments/commands/attention/attention_profile.h"
#include "experiments/commands/json_output.h"
#include "experiments/commands/table_json.h"
#include "experiments/report/figures/heatmap.h"
#include "experiments/report/tables/table.h"
#include "experiments/terminal.h"
#include "policies/profiles/profile_file.h"

namespace kvscope {
namespace {

std::string group_name(const AttentionRecord& record, const StepGroup& group) {
  if (group.first < group.last) return fmt::format("{}..{}", group.first, group.last);
  const StepInfo& step = record.steps[group.first];
  return fmt::format("{} ({}x{})", step.index, step.grid_height, step.grid_width);
}

/// Mean over heads and the group's steps of what `mass` says of a (head, step).
template <class Mass>
double mean_mass(const AttentionRecord& record, const StepGroup& group, const Mass& mass) {
  double sum = 0;
  for (int64_t head = 0; head < record.heads; ++head) {
    for (int64_t step = group.first; step <= group.last; ++step) sum += mass(head, step);
  }
  return sum / static_cast<double>(record.heads * (group.last - group.first + 1));
}

/// Drafters first, by rising Z-score; all pairs with a history.
Table roles_table(const AttentionRecord& record, const LayerRoles& roles) {
  Table table;
  const NamedArray& mass = record.array("mass.step");
  const NamedArray& top_mass = record.array("mass.history_top");
  table.title =
      fmt::format("Drafters and refiners{}{}", record.model.empty() ? "" : " of ", record.model);
  table.columns = {
      {.header = "role", .align = Align::kLeft},
      {.header = "layer", .decimals = 0},
      {.header = "scale", .align = Align::kLeft},
      {.header = "current mass", .decimals = 4},
      {.header = fmt::format("top {} of history", top_mass.parameter("top_keys")), .decimals = 4},
      {.header = "ASI", .decimals = 4},
      {.header = "Z", .decimals = 3}};
  const auto groups = static_cast<int64_t>(roles.groups.size());
  std::vector<int64_t> order;
  for (int64_t pair = 0; pair < record.layers * groups; ++pair) {
    if (roles.role[pair] != LayerRole::kNone) order.push_back(pair);
  }
  std::ranges::stable_sort(order, [&](int64_t a, int64_t b) {
    if (roles.role[a] != roles.role[b]) return roles.role[a] == LayerRole::kDrafter;
    return roles.z_score[a] < roles.z_score[b];
  });
  for (const int64_t pair : order) {
    const int64_t layer = pair / groups;
    const StepGroup& group = roles.groups[pair % groups];
    const bool drafter = roles.role[pair] == LayerRole::kDrafter;
    const double current = mean_mass(record, group, [&](int64_t head, int64_t step) {
      return mass.at(layer, head, step, step);
    });
    const double top = mean_mass(
        record, group, [&](int64_t head, int64_t step) { return top_mass.at(layer, head, step); });
    table.rows.push_back(
        {.cells = {TableCell::text(drafter ? "drafter" : "refiner"),
                   TableCell::number(static_cast<double>(layer)),
                   TableCell::text(group_name(record, group)), TableCell::number(current),
                   TableCell::number(top), TableCell::number(roles.selectivity[pair]),
                   TableCell::number(roles.z_score[pair])},
         .reference = drafter});
  }
  table.provenance = record.provenance();
  return table;
}

Heatmap roles_map(const AttentionRecord& record, const LayerRoles& roles) {
  const auto groups = static_cast<int64_t>(roles.groups.size());
  Heatmap map;
  map.title = "Attention Selectivity Index, Z-score within each scale";
  map.subtitle = fmt::format("{}{}{} images, top {} keys of history", record.model,
                             record.model.empty() ? "" : ", ", record.images,
                             record.array("mass.history_top").parameter("top_keys"));
  map.row_axis = "layer";
  map.column_axis = "scale";
  map.value_label = "Z-score";
  for (int64_t layer = 0; layer < record.layers; ++layer) {
    map.row_labels.push_back(fmt::format("{}", layer));
  }
  for (const StepGroup& group : roles.groups) {
    map.column_labels.push_back(fmt::format("{}", group.first));
  }
  map.values = roles.z_score;
  for (int64_t pair = 0; pair < record.layers * groups; ++pair) {
    if (roles.role[pair] == LayerRole::kDrafter) {
      map.marks.push_back({.row = pair / groups, .column = pair % groups, .text = "D"});
    }
  }
  map.marks_note =
      fmt::format("D: drafter ({} lowest Z-scores); hatched: no history", roles.drafters);
  map.provenance = record.provenance();
  return map;
}

/// What --by chooses, and what a profile calls it.
struct RolesBy {
  const char* word;
  SelectivityFactors factors;
  const char* metric;
};

RolesBy roles_by(const std::string& word) {
  static constexpr RolesBy kKnown[] = {
      {"selectivity", SelectivityFactors::kBoth, "selectivity"},
      {"current", SelectivityFactors::kCurrent, "current_mass"},
      {"history", SelectivityFactors::kHistory, "mass.history_top"}};
  std::vector<std::string> known;
  for (const RolesBy& one : kKnown) {
    if (word == one.word) return one;
    known.emplace_back(one.word);
  }
  throw Error(ErrorKind::kConfig, fmt::format("--by {}: {}", word, suggestion(word, known)));
}

Profile profile_of(const AttentionRecord& record,
                   const LayerRoles& roles,
                   const AttentionRolesOptions& options) {
  Profile profile = profile_of_record(record, options.file, ProfileKind::kRoles);
  profile.metric.name = roles_by(options.by).metric;
  profile.metric.parameters = {{"drafters", static_cast<double>(roles.drafters)}};
  for (const auto& [name, value] : record.array("mass.history_top").parameters) {
    profile.metric.parameters[name] = static_cast<double>(value);
  }
  profile.source.note = "drafters and refiners by Attention Selectivity Index, for ScaleKV";
  const auto groups = static_cast<int64_t>(roles.groups.size());
  for (int64_t group = 0; group < groups; ++group) {
    if (roles.role[group] == LayerRole::kNone) continue;  // no history to keep roles for
    const StepInfo& step = record.steps[roles.groups[group].first];
    RolesOfScale scale{.first_step = roles.groups[group].first,
                       .last_step = roles.groups[group].last,
                       .grid = fmt::format("{}x{}", step.grid_height, step.grid_width)};
    for (int64_t layer = 0; layer < record.layers; ++layer) {
      const int64_t pair = layer * groups + group;
      if (roles.role[pair] == LayerRole::kDrafter) scale.drafters.push_back(layer);
      scale.selectivity.push_back(roles.selectivity[pair]);
      scale.z_score.push_back(roles.z_score[pair]);
    }
    profile.scales.push_back(std::move(scale));
  }
  return profile;
}

/// Refuses a number that leaves scales without a drafter; of the default it is said.
void check_coverage(const AttentionRecord& record,
                    const LayerRoles& roles,
                    const AttentionRolesOptions& options) {
  const std::vector<StepGroup> without = groups_without_drafter(roles);
  if (without.empty() || options.allow_none) return;
  std::vector<std::string> names;
  names.reserve(without.size());
  for (const StepGroup& group : without) names.push_back(group_name(record, group));
  const std::string finding =
      fmt::format("{} drafters leave {} without one: {}", roles.drafters,
                  without.size() == 1 ? "a scale" : "scales", fmt::join(names, ", "));
  const int64_t enough = drafters_for_every_group(roles);
  if (options.drafters < 0) {
    say("note: {}; --drafters {} is the fewest that leaves none", finding, enough);
    return;
  }
  throw Error(ErrorKind::kConfig,
              fmt::format("--drafters {}: {}. --drafters {} is the fewest that leaves none; "
                          "--allow-none keeps it so",
                          options.drafters, finding, enough));
}

}  // namespace

int attention_roles_command(const AttentionRolesOptions& options) {
  const RolesBy by = roles_by(options.by);
  const AttentionRecord record = read_attention(options.file);
  const LayerRoles roles =
      layer_roles(record, step_groups(record, options.line_tokens), options.drafters, by.factors);
  check_coverage(record, roles, options);
  const Heatmap map = roles_map(record, roles);
  const Canvas canvas = draw_heatmap(map);
  const std::string stem =
      (options.file.parent_path() / (options.file.stem().string() + "-roles")).string() +
      (by.factors == SelectivityFactors::kBoth ? "" : "-by-" + options.by);
  write_figure(canvas, stem + ".svg", heatmap_info(map));
  write_figure(canvas, stem + ".png", heatmap_info(map));
  write_profile(stem + ".yaml", profile_of(record, roles, options));
  if (options.json) {
    print_json({{"table", table_json(roles_table(record, roles))},
                {"files", {stem + ".svg", stem + ".png", stem + ".yaml"}}});
    return 0;
  }
  fmt::print("{}{}.svg\n{}.png\n{}.yaml\n",
             console_table(roles_table(record, roles), console_style()), stem, stem, stem);
  return 0;
}

}  // namespace kvscope
