#include "experiments/judges/dpg_questions.h"

#include <fmt/format.h>

#include <charconv>

#include "core/base/error.h"
#include "experiments/judges/judge_csv.h"
#include "experiments/judges/judge_text.h"

namespace kvscope {
namespace {

int64_t id_of(std::string_view text, const std::string& where) {
  text = trimmed(text);
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: expected the number of a question, not '{}'", where, text));
  }
  return id;
}

std::vector<int64_t> parents_of(std::string_view text, const std::string& where) {
  std::vector<int64_t> parents;
  while (true) {
    const size_t comma = text.find(',');
    const int64_t id = id_of(text.substr(0, comma), where);
    if (id != 0) parents.push_back(id);
    if (comma == std::string_view::npos) return parents;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

std::vector<DpgItem> read_dpg_items(const std::string& text, const std::string& origin) {
  const CsvTable table(text, origin);
  std::vector<DpgItem> items;
  std::map<std::string, size_t> place_of;
  for (const CsvRow& row : table.rows()) {
    const std::string where = fmt::format("{}:{}", origin, row.line);
    const std::string& key = table.cell(row, "item_id");
    const auto [place, is_new] = place_of.emplace(key, items.size());
    if (is_new) {
      items.push_back({.key = key, .text = table.cell(row, "text")});
    } else if (place->second + 1 != items.size()) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: rows of item '{}' are apart from each other", where, key));
    }
    const std::string& tuple = table.cell(row, "tuple");
    const std::string detailed(trimmed(tuple.substr(0, tuple.find('('))));
    items.back().questions.push_back(
        {.text = table.cell(row, "question_natural_language"),
         .id = id_of(table.cell(row, "proposition_id"), where),
         .parents = parents_of(table.cell(row, "dependency"), where),
         .broad = std::string(trimmed(detailed.substr(0, detailed.find('-')))),
         .detailed = detailed});
  }
  if (items.empty()) throw Error(ErrorKind::kInput, origin + ": no question in it");
  return items;
}

std::vector<double> dpg_raw_values(const std::vector<std::optional<std::string>>& answers) {
  std::vector<double> values;
  values.reserve(answers.size());
  for (const auto& answer : answers) values.push_back(answer == "yes" ? 1 : 0);
  return values;
}

std::optional<std::vector<double>> dpg_values_after_dependency(const DpgItem& item,
                                                               std::vector<double> values,
                                                               size_t from) {
  std::map<int64_t, size_t> place_of;
  for (size_t i = from; i < item.questions.size(); ++i) place_of[item.questions[i].id] = i;
  for (size_t i = from; i < item.questions.size(); ++i) {
    for (const int64_t parent : item.questions[i].parents) {
      const auto found = place_of.find(parent);
      if (found == place_of.end()) return std::nullopt;
      if (values[found->second] == 0) {
        values[i] = 0;
        break;
      }
    }
  }
  values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(from));
  return values;
}

}  // namespace kvscope
