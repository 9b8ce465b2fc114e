#include "experiments/results/sweep_recipes.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace kvscope {

SweepRecipes recipes_of(const SweepSummary& sweep) {
  SweepRecipes result;
  for (const PointSummary& point : sweep.points) {
    const auto found = std::ranges::find(result.recipes, point.recipe);
    result.of_point.push_back(static_cast<size_t>(found - result.recipes.begin()));
    if (found == result.recipes.end()) result.recipes.push_back(point.recipe);
  }
  return result;
}

std::string SweepRecipes::label(size_t recipe) {
  constexpr size_t kLetters = 26;
  const std::string last(1, static_cast<char>('A' + recipe % kLetters));
  return recipe < kLetters ? last : label(recipe / kLetters - 1) + last;
}

std::string SweepRecipes::header(const std::string& name, size_t recipe) const {
  return several() ? fmt::format("{}, {}", name, label(recipe)) : name;
}

std::vector<std::string> SweepRecipes::legend() const {
  std::vector<std::string> lines;
  for (size_t i = 0; i < recipes.size(); ++i) {
    if (recipes[i].facts.empty()) continue;
    lines.push_back(
        fmt::format("recipe{}: {}", several() ? " " + label(i) : "", recipes[i].text()));
  }
  return lines;
}

std::string SweepRecipes::json(const std::vector<Metric>& metrics) const {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (size_t i = 0; i < recipes.size(); ++i) {
    nlohmann::ordered_json recipe;
    recipe["label"] = label(i);
    recipe["published"] = recipes[i].published;
    for (const auto& [name, value] : recipes[i].facts) recipe[name] = value;
    for (const Metric& metric : metrics) {
      recipe["metrics"][metric.name] = metric.note.empty() ? metric.title : metric.note;
    }
    list.push_back(std::move(recipe));
  }
  return list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::vector<SweepSummary> by_recipe(const SweepSummary& sweep) {
  const SweepRecipes recipes = recipes_of(sweep);
  std::vector<SweepSummary> parts(recipes.recipes.size(), SweepSummary{.folder = sweep.folder});
  for (size_t i = 0; i < sweep.points.size(); ++i) {
    parts[recipes.of_point[i]].points.push_back(sweep.points[i]);
  }
  return parts;
}

}  // namespace kvscope
