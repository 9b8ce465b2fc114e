#include "experiments/results/judge_numbers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "core/base/text_file.h"
#include "experiments/results/summary.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using RecipeItems = std::vector<std::pair<std::string, std::string>>;

/// A number, or the word for one that JSON has none for.
std::optional<double> number_in(const Json& json) {
  if (json.is_number()) return json.get<double>();
  if (json == "Infinity") return INFINITY;
  if (json == "-Infinity") return -INFINITY;
  return std::nullopt;  // NaN is no value
}

/// None where the file is not of this form: nothing in it can be believed then.
std::optional<StoredJudgement> parsed(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || json.value("schema", "") != "kvscope.judgement") return std::nullopt;
  StoredJudgement judgement;
  try {
    judgement.judge = json.at("judge").get<std::string>();
    judgement.source = json.at("source").get<std::string>();
    for (const auto& [key, value] : json.at("recipe").items()) {
      judgement.recipe.emplace_back(key, value.get<std::string>());
    }
    for (const Json& item : json.at("numbers")) {
      const auto value = number_in(item.at("value"));
      if (!value) continue;
      judgement.numbers.push_back({.label = item.at("label").get<std::string>(),
                                   .variant = item.at("variant").get<std::string>(),
                                   .value = *value,
                                   .decimals = std::clamp(item.at("decimals").get<int>(), 0, 9),
                                   .higher_is_better = item.at("higher_is_better").get<bool>(),
                                   .fault = item.at("fault").get<std::string>()});
    }
  } catch (const Json::exception&) {
    return std::nullopt;
  }
  return judgement;
}

/// A column is one of a label, variant and recipe.
struct ColumnKey {
  std::string label;
  std::string variant;
  RecipeItems recipe;
  auto operator<=>(const ColumnKey&) const = default;
};

/// What of the recipe tells it apart from others of the same label: ", cfg 4, samples 1".
std::string difference(const RecipeItems& recipe, const std::vector<RecipeItems>& others) {
  std::string text;
  for (const auto& item : recipe) {
    const bool is_common = std::ranges::all_of(others, [&](const RecipeItems& other) {
      return std::ranges::find(other, item) != other.end();
    });
    if (!is_common) text += fmt::format(", {} {}", item.first, item.second);
  }
  return text;
}

std::string help_of(const StoredJudgement& judgement, const JudgeNumber& number) {
  std::vector<std::string> recipe;
  for (const auto& [key, value] : judgement.recipe) recipe.push_back(key + " " + value);
  std::string text = fmt::format("{}; {}", judgement.source, fmt::join(recipe, ", "));
  if (!number.fault.empty()) text = number.fault + "; " + text;
  return text;
}

}  // namespace

fs::path judgement_path(const fs::path& point_folder, const std::string& judge) {
  return point_folder / "judges" / (judge + ".json");
}

std::vector<StoredJudgement> stored_judgements(const fs::path& point_folder,
                                               std::vector<std::string>& notes) {
  std::vector<fs::path> files;
  std::error_code unknown;
  for (const auto& entry : fs::directory_iterator(point_folder / "judges", unknown)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<StoredJudgement> judgements;
  for (const fs::path& file : files) {
    auto judgement = parsed(text_of_file(file).value_or(""));
    if (judgement) {
      judgements.push_back(*std::move(judgement));
    } else {
      notes.push_back(
          fmt::format("{}: cannot be read; kvscope import makes it again", file.string()));
    }
  }
  return judgements;
}

JudgeColumns judge_columns(const SweepSummary& sweep) {
  JudgeColumns result;
  std::vector<std::vector<StoredJudgement>> judgements;
  judgements.reserve(sweep.points.size());
  for (const PointSummary& point : sweep.points) {
    judgements.push_back(stored_judgements(point.folder, result.notes));
  }
  std::vector<ColumnKey> keys;  // in order of appearance
  std::map<std::pair<std::string, std::string>, std::vector<RecipeItems>> recipes;
  for (const auto& of_point : judgements) {
    for (const StoredJudgement& judgement : of_point) {
      for (const JudgeNumber& number : judgement.numbers) {
        const ColumnKey key{number.label, number.variant, judgement.recipe};
        if (std::ranges::find(keys, key) != keys.end()) continue;
        keys.push_back(key);
        recipes[{number.label, number.variant}].push_back(judgement.recipe);
        result.columns.push_back(
            {.better = number.higher_is_better ? Better::kHigher : Better::kLower,
             .decimals = number.decimals,
             .help = help_of(judgement, number)});
      }
    }
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    result.columns[i].header =
        fmt::format("{} ({}){}", keys[i].label, keys[i].variant,
                    difference(keys[i].recipe, recipes[{keys[i].label, keys[i].variant}]));
    result.notes.push_back(fmt::format("{}: {}", result.columns[i].header, result.columns[i].help));
  }
  for (const auto& of_point : judgements) {
    std::vector<TableCell> cells(keys.size(), TableCell::missing("not judged in this way"));
    for (const StoredJudgement& judgement : of_point) {
      for (const JudgeNumber& number : judgement.numbers) {
        const ColumnKey key{number.label, number.variant, judgement.recipe};
        cells[static_cast<size_t>(std::ranges::find(keys, key) - keys.begin())] =
            TableCell::number(number.value);
      }
    }
    result.cells.push_back(std::move(cells));
  }
  return result;
}

}  // namespace kvscope
