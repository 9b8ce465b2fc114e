#include "experiments/judges/judge_card.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>

#include "core/base/error.h"
#include "experiments/judges/judge_json.h"
#include "experiments/judges/judge_text.h"

namespace kvscope {

namespace {

/// How the seeds of a point's images came about (gen.seed_rule), from its base seed.
std::string seed_text(const PointSummary& point) {
  const auto setting = [&](const char* key) {
    const auto found = point.settings.find(key);
    return found == point.settings.end() ? std::string() : found->second;
  };
  std::string base = setting("gen.seed");
  if (base.empty()) base = point.point().label("seed");
  const std::string rule = setting("gen.seed_rule");
  if (rule == "fixed") return fmt::format("{} + sample, alike for every prompt", base);
  if (rule == "index") return fmt::format("{} + number of the prompt", base);
  return fmt::format("one an image, of ({}, prompt, sample)", base);
}

}  // namespace

JudgeRecipe judge_recipe(const PointSummary& point,
                         const std::string& size,
                         const RecipeAdditions& additions) {
  JudgeRecipe recipe;
  static constexpr std::array<std::pair<const char*, const char*>, 4> kSettings = {{
      {"cfg", "gen.cfg"},
      {"tau", "gen.tau"},
      {"top-k", "gen.top_k"},
      {"top-p", "gen.top_p"},
  }};
  for (const auto& [name, key] : kSettings) {
    const auto found = point.settings.find(key);
    if (found != point.settings.end()) recipe.emplace_back(name, found->second);
  }
  recipe.emplace_back("seed", seed_text(point));
  if (!size.empty()) recipe.emplace_back("size", size);
  recipe.emplace_back("samples", std::to_string(additions.samples));
  std::string prompts = std::to_string(additions.prompts);
  if (!additions.prompts_sha256.empty()) {
    prompts += " of list " + additions.prompts_sha256.substr(0, 12);
  }
  recipe.emplace_back("prompts", prompts);
  recipe.emplace_back(
      "rewritten", additions.rewritten > 0 ? fmt::format("{} prompts", additions.rewritten) : "no");
  if (additions.missing > 0) recipe.emplace_back("missing", std::to_string(additions.missing));
  if (!additions.codec.empty()) recipe.emplace_back("codec", additions.codec);
  if (!point.recipe.published.empty()) recipe.emplace_back("recipe", point.recipe.published);
  return recipe;
}

std::filesystem::path card_path(const std::filesystem::path& out) {
  return out.string() + ".card.json";
}

JudgeCard read_judge_card(const std::filesystem::path& file) {
  const std::string name = file.string();
  const JudgeJson json = parse_judge_json(judge_file_text(file), name);
  if (!json.is_object() || !json.contains("schema") || json["schema"] != "kvscope.judge_card") {
    throw Error(ErrorKind::kInput, name + ": no card of kvscope export (OUT.card.json)");
  }
  JudgeCard card{.judge = text_member(json, "judge", name),
                 .point_hash = text_member(json, "point", name)};
  const JudgeJson& recipe = member_of(json, "recipe", name);
  for (const auto& [key, value] : recipe.items()) {
    if (!value.is_string()) throw Error(ErrorKind::kInput, name + ": 'recipe': expected texts");
    card.recipe.emplace_back(key, value.get<std::string>());
  }
  return card;
}

std::string utc_time(int64_t unix_seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<time_t>(unix_seconds)));
}

}  // namespace kvscope
