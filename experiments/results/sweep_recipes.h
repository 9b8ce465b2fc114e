#pragma once

#include <string>
#include <vector>

#include "analysis/metrics/metric.h"
#include "experiments/results/recipe.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// The recipes of a sweep's points.
struct SweepRecipes {
  std::vector<Recipe> recipes{};   ///< each once, in order of appearance
  std::vector<size_t> of_point{};  ///< [points]

  [[nodiscard]] bool several() const { return recipes.size() > 1; }
  /// "A", "B", ..., "AA": what columns and legends call the recipe of that index.
  [[nodiscard]] static std::string label(size_t recipe);
  /// The name itself, or with ", A" behind it where there are several.
  [[nodiscard]] std::string header(const std::string& name, size_t recipe) const;
  /// A line a recipe, for below a table: "recipe: ..." or "recipe A: ...".
  [[nodiscard]] std::vector<std::string> legend() const;
  /// JSON with every fact, and with how `metrics` are computed.
  [[nodiscard]] std::string json(const std::vector<Metric>& metrics) const;
};
SweepRecipes recipes_of(const SweepSummary& sweep);

/// The points of each recipe by themselves, in the sweep's order; the notes stay behind.
std::vector<SweepSummary> by_recipe(const SweepSummary& sweep);

}  // namespace kvscope
