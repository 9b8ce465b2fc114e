#include "experiments/sweep/recipe_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "experiments/sweep/setting_text.h"

namespace kvscope {
namespace {

constexpr const char* kGroup = "recipe";
/// What is compared in another way: seeds and numbers of prompts by what the recipe says of them.
constexpr const char* kOtherwise[] = {"gen.images", "gen.seed"};

/// Every scalar and list below a map, with its dotted key.
template <typename Visit>
void for_each_value(const ConfigNode& node, const std::string& key, const Visit& visit) {
  if (!node.is_map()) {
    visit(key, node);
    return;
  }
  for (const ConfigEntry& entry : node.entries()) {
    if (key.empty() && entry.name == kGroup) continue;
    for_each_value(entry.value, key.empty() ? entry.name : key + "." + entry.name, visit);
  }
}

bool is_open(const ConfigNode& value) {
  return value.is_string() &&
         (value.as_string() == "???" || value.as_string().find("${") != std::string::npos);
}

std::string replaced(const std::string& what, const std::string& found, const std::string& meant) {
  return fmt::format("{} {} instead of {}", what, found, meant);
}

}  // namespace

RecipeSettings read_recipe(Options& options) {
  constexpr Identity kNone = Identity::kNone;
  RecipeSettings recipe;
  const auto text = [&](const char* key, const char* help) {
    return options.word({.key = key, .default_value = "", .help = help, .identity = kNone});
  };
  const auto words = [&](const char* key, const char* help) {
    return options.words(
        {.key = key, .default_value = std::vector<std::string>(), .help = help, .identity = kNone});
  };
  recipe.name = text("name", "which recipe the settings are of; empty: none");
  recipe.numbers = text("numbers", "the published numbers that were made with it");
  recipe.source = text("source", "where it is published");
  recipe.families = words("families", "of models that it is of");
  recipe.models = words("models", "that it is of");
  recipe.prompts = text("prompts", "which prompts, in words");
  recipe.prompt_count = options.integer_or_null(
      {.key = "prompt_count", .min = 1, .help = "how many prompts", .identity = kNone});
  recipe.rewritten = options.flag({.key = "rewritten",
                                   .default_value = false,
                                   .help = "whether the model is given rewritten prompts",
                                   .identity = kNone});
  recipe.seed = options.integer_or_null(
      {.key = "seed", .min = 0, .help = "its base seed", .identity = kNone});
  recipe.seeds = text("seeds", "how its seeds are drawn, in words");
  recipe.size = text("size", "of a picture, as 1024x1024");
  recipe.picture = text("picture", "codec of the pictures that were judged");
  recipe.judge = text("judge", "what judged them");
  recipe.known = text("known", "what others found who repeated it");
  recipe.departures =
      words("departures", "in what the settings depart from it; written by kvscope");
  return recipe;
}

RecipeSettings recipe_settings(const ConfigNode& config) {
  const ConfigNode* group = config.child(kGroup);
  if (group == nullptr || !group->is_map()) return {};
  Options options(kGroup, *group);
  return read_recipe(options);
}

std::vector<std::string> recipe_departures(const ConfigNode& config,
                                           const ConfigNode* recipe_file,
                                           const ModelFacts& facts,
                                           int64_t prompts) {
  const RecipeSettings recipe = recipe_settings(config);
  std::vector<std::string> departures;
  if (recipe.name.empty()) return departures;
  const ConfigNode nothing = ConfigNode::map();
  for_each_value(recipe_file == nullptr ? nothing : *recipe_file, "",
                 [&](const std::string& key, const ConfigNode& meant) {
                   if (is_open(meant) || std::ranges::find(kOtherwise, key) != std::end(kOtherwise))
                     return;
                   const ConfigNode* found = config.find(key);
                   const std::string text = found == nullptr ? "null" : setting_text(*found);
                   if (text == setting_text(meant)) return;
                   const std::string name = key.starts_with("gen.") ? key.substr(4) : key;
                   departures.push_back(replaced(name, text, setting_text(meant)));
                 });
  const ConfigNode* seed = config.find("gen.seed");
  if (recipe.seed && seed != nullptr && setting_text(*seed) != std::to_string(*recipe.seed)) {
    departures.push_back(replaced("seed", setting_text(*seed), std::to_string(*recipe.seed)));
  }
  if (recipe.prompt_count && prompts != *recipe.prompt_count) {
    departures.push_back(fmt::format("{} prompts instead of {}", prompts, *recipe.prompt_count));
  }
  const std::string size = fmt::format("{}x{}", facts.image_height, facts.image_width);
  if (!recipe.size.empty() && size != recipe.size) {
    departures.push_back(fmt::format("{} pixels instead of {}", size, recipe.size));
  }
  const auto differs = [](const std::vector<std::string>& known, const ConfigNode* found) {
    return found != nullptr && std::ranges::find(known, setting_text(*found)) == known.end();
  };
  if (differs(recipe.families, config.find("model.family"))) {
    departures.push_back(fmt::format("model {} instead of {}", facts.name,
                                     recipe.models.empty()
                                         ? "one that kvscope does not have"
                                         : fmt::format("{}", fmt::join(recipe.models, ", "))));
  }
  return departures;
}

std::string recipe_title(const RecipeSettings& recipe) {
  if (recipe.departures.empty()) return recipe.name;
  return fmt::format("{} with {}", recipe.name, fmt::join(recipe.departures, ", "));
}

}  // namespace kvscope
