#include "experiments/judges/judge_card.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>

#include "core/base/error.h"
#include "experiments/judges/judge_json.h"
#include "experiments/judges/judge_text.h"

namespace kvscope {

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
  const auto seed = point.settings.find("gen.seed");
  const std::string base =
      seed == point.settings.end() ? point.point().label("seed") : seed->second;
  recipe.emplace_back("seed", fmt::format("one an image, of ({}, prompt, sample)", base));
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
