#include "experiments/results/recipe.h"

#include <fmt/format.h>

#include <set>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/config/yaml.h"
#include "core/models/image_model.h"
#include "experiments/results/summary.h"
#include "experiments/sweep/recipe_settings.h"

namespace kvscope {
namespace {

constexpr const char* kNotRecorded = "not recorded";

std::string setting(const PointSummary& point, const std::string& key) {
  const auto found = point.settings.find(key);
  return found == point.settings.end() || found->second == "null" ? kNotRecorded : found->second;
}

/// "12 of shapes, sha256 0123456789ab" over the texts, a line break behind each.
std::string prompts_text(const PointSummary& point) {
  std::set<std::pair<uint64_t, std::string>> prompts;
  for (const ImageRow& row : point.result.rows) prompts.emplace(row.prompt_id, row.prompt);
  std::string all;
  for (const auto& [id, text] : prompts) all += text + "\n";
  const std::string source = setting(point, "prompts.source");
  return fmt::format("{}{}, sha256 {}", prompts.size(),
                     source == kNotRecorded ? "" : " of " + source, sha256_hex(all).substr(0, 12));
}

std::string samples_text(const PointInfo& point) {
  return fmt::format("{} a prompt", point.replicas);
}

std::string pixels_text(const ConfigNode& config) {
  const ConfigNode* model = config.find("model");
  if (model == nullptr) return kNotRecorded;
  try {
    const ModelFacts facts = model_facts(*model);
    return fmt::format("{}x{}", facts.image_height, facts.image_width);
  } catch (const Error&) {
    return kNotRecorded;  // a model that this version does not know
  }
}

RecipeSettings published_recipe(const ConfigNode& config) {
  try {
    return recipe_settings(config);
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

std::string Recipe::text() const {
  std::string text = published.empty() ? "" : published + ": ";
  for (const auto& [name, value] : facts) {
    text += fmt::format("{}{} {}", &name == &facts.front().first ? "" : "; ", name, value);
  }
  return text;
}

Recipe recipe_of(const PointSummary& point) {
  const ConfigNode config = load_yaml_text(point.point().config_yaml, "the point's config");
  const RecipeSettings published = config.is_map() ? published_recipe(config) : RecipeSettings{};
  Recipe recipe{.published = published.name.empty() ? "" : recipe_title(published)};
  const auto add = [&](const char* name, std::string value) {
    recipe.facts.emplace_back(name, std::move(value));
  };
  add("prompts", prompts_text(point));
  add("texts", published.rewritten ? "rewritten" : "as given");
  add("seeds", setting(point, "gen.seed_rule"));
  add("samples", samples_text(point.point()));
  for (const auto& [name, key] :
       {std::pair("cfg", "gen.cfg"), std::pair("tau", "gen.tau"), std::pair("top-k", "gen.top_k"),
        std::pair("top-p", "gen.top_p")}) {
    add(name, setting(point, key));
  }
  add("pixels", config.is_map() ? pixels_text(config) : kNotRecorded);
  add("picture", "PNG");
  return recipe;
}

}  // namespace kvscope
