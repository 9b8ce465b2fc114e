#include "experiments/results/skill_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "experiments/results/point_labels.h"
#include "experiments/results/sweep_recipes.h"

namespace kvscope {
namespace {

std::vector<std::string> skills_of(const SweepSummary& sweep) {
  std::vector<std::string> skills;
  for (const PointSummary& point : sweep.points) {
    for (const ImageRow& row : point.result.rows) {
      if (row.skill.empty() || std::ranges::find(skills, row.skill) != skills.end()) continue;
      skills.push_back(row.skill);
    }
  }
  return skills;
}

/// Over the images of one skill; of all where that is empty.
TableCell cell_of(const PointSummary& point, const Metric& metric, const std::string& skill) {
  std::vector<double> values;
  int64_t images = 0;
  for (const ImageRow& row : point.result.rows) {
    if (!skill.empty() && row.skill != skill) continue;
    ++images;
    const double value = row.metrics[metric.name];
    if (!std::isnan(value)) values.push_back(value);
  }
  if (values.empty()) return TableCell::missing("no image of this skill has a value");
  return measured_of(metric.summarise(values), metric.undefined)
      .over(std::ssize(values), images)
      .cell();
}

}  // namespace

Table skill_table(const SweepSummary& sweep, const Metric& metric) {
  if (metric.summarise == nullptr) {
    throw Error(ErrorKind::kConfig,
                fmt::format("--by-skill {}: measured over all images at once; expected a metric of "
                            "single images",
                            metric.name));
  }
  std::vector<std::string> skills = skills_of(sweep);
  if (skills.empty()) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: its prompts test no named skills; captions of the shapes task do "
                            "(prompts=shapes)",
                            sweep.folder.string()));
  }
  skills.emplace_back();  // all
  const std::vector<LabelKey> differing = differing_keys(sweep);
  const SweepRecipes recipes = recipes_of(sweep);
  Table table;
  table.notes = recipes.legend();
  table.title = fmt::format("{} by skill", metric.title);
  table.columns = {{.header = "point", .align = Align::kLeft, .importance = Importance::kRow}};
  for (size_t recipe = 0; recipe < recipes.recipes.size(); ++recipe) {
    for (const std::string& skill : skills) {
      table.columns.push_back({.header = recipes.header(skill.empty() ? "all" : skill, recipe),
                               .unit = metric.unit,
                               .better = metric.higher_is_better ? Better::kHigher : Better::kLower,
                               .decimals = metric.decimals});
    }
  }
  for (size_t i = 0; i < sweep.points.size(); ++i) {
    const PointSummary& point = sweep.points[i];
    TableRow row{.cells = {TableCell::text(point_name(point, differing))},
                 .reference = point.point().full_cache};
    for (size_t recipe = 0; recipe < recipes.recipes.size(); ++recipe) {
      for (const std::string& skill : skills) {
        row.cells.push_back(recipe == recipes.of_point[i]
                                ? cell_of(point, metric, skill)
                                : TableCell::missing("of another recipe"));
      }
    }
    table.rows.push_back(std::move(row));
    table.provenance.push_back(short_hash(point.point()));
  }
  return table;
}

}  // namespace kvscope
