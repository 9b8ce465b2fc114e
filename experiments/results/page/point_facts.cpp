#include "experiments/results/page/point_facts.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/shell_word.h"
#include "core/base/text_file.h"

namespace kvscope {
namespace {

void flatten(const nlohmann::json& value, const std::string& name, Facts& facts) {
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) {
      std::string dotted = name;
      if (!name.empty()) dotted += ".";
      dotted += key;
      flatten(item, dotted, facts);
    }
  } else if (value.is_string()) {
    facts[name] = value.get<std::string>();
  } else {
    facts[name] = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
}

/// The words of a line that shell_word() made of words.
std::vector<std::string> shell_words(const std::string& line) {
  std::vector<std::string> words;
  bool is_open = false;  // a word has begun
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const char letter = line[i];
    if (quote == 0 && letter == ' ') {
      is_open = false;
      continue;
    }
    if (!is_open) words.emplace_back();
    is_open = true;
    if (quote != 0 && letter == quote) {
      quote = 0;
    } else if (quote == 0 && (letter == '\'' || letter == '"')) {
      quote = letter;
    } else if (letter == '\\' && quote != '\'' && i + 1 < line.size()) {
      words.back() += line[++i];
    } else {
      words.back() += letter;
    }
  }
  return words;
}

/// Options that say where configurations and components come from, with their values, and whether
/// it was a sweep, whose folder is another than that of a single run.
std::vector<std::string> kept_options(const std::string& command_line) {
  static const std::vector<std::string> kNames = {"--config-dir",  "-cd", "--config-name", "-cn",
                                                  "--config-path", "-cp", "--plugin"};
  const std::vector<std::string> words = shell_words(command_line);
  std::vector<std::string> kept;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "-m" || words[i] == "--multirun") kept.push_back(words[i]);
    const std::string name = words[i].substr(0, words[i].find('='));
    if (std::ranges::find(kNames, name) == kNames.end()) continue;
    kept.push_back(words[i]);
    if (name == words[i] && i + 1 < words.size()) kept.push_back(words[++i]);
  }
  return kept;
}

}  // namespace

SharedFacts shared_and_own(std::vector<Facts> all) {
  SharedFacts result{.shared = {}, .own = std::move(all)};
  if (result.own.empty()) return result;
  for (const auto& fact : result.own.front()) {
    const bool everywhere = std::ranges::all_of(result.own, [&](const Facts& facts) {
      const auto found = facts.find(fact.first);
      return found != facts.end() && found->second == fact.second;
    });
    if (everywhere) result.shared.insert(fact);
  }
  for (Facts& facts : result.own) {
    std::erase_if(facts, [&](const auto& fact) { return result.shared.contains(fact.first); });
  }
  return result;
}

Facts facts_of_json(const std::string& json) {
  Facts facts;
  const auto value = nlohmann::json::parse(json, nullptr, false);
  if (value.is_object()) flatten(value, "", facts);
  return facts;
}

Facts manifest_of(const PointSummary& point) {
  Facts facts = facts_of_json(text_of_file(point.folder / "manifest.json").value_or(""));
  facts.merge(facts_of_json(point.point().manifest_json));
  return facts;
}

std::string command_of(const PointInfo& point, const Facts& manifest) {
  const auto line = manifest.find("command_line");
  std::string command = "kvscope run";
  if (line != manifest.end()) {
    for (const std::string& word : kept_options(line->second)) command += " " + shell_word(word);
  }
  for (const std::string& word : point.overrides) command += " " + shell_word(word);
  return command;
}

}  // namespace kvscope
