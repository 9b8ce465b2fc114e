#include "experiments/commands/config_composition.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/config/format.h"

namespace kvscope {
namespace {

using Row = std::vector<std::string>;

std::string titled(const std::string& title, const std::string& text) {
  return fmt::format("{}\n{}\n{}\n", title, std::string(title.size(), '*'), text);
}

/// Columns between bars, the first row above a rule.
std::string ruled_table(const std::vector<Row>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string rule(1, '-');
  for (const size_t width : widths) rule.append(width + 3, '-');
  std::string text;
  for (const Row& row : rows) {
    text += "|";
    for (size_t i = 0; i < row.size(); ++i) text += fmt::format(" {:<{}} |", row[i], widths[i]);
    text += &row == &rows.front() ? "\n" + rule + "\n" : "\n";
  }
  return text + rule + "\n";
}

/// Words in lines of up to 96 columns.
std::string filled(const std::vector<std::string>& words, const std::string& indent) {
  constexpr size_t kWidest = 96;
  std::string text;
  std::string line = indent;
  for (const std::string& word : words) {
    if (line.size() > indent.size() && line.size() + 1 + word.size() > kWidest) {
      text += line + "\n";
      line = indent;
    }
    line += (line.size() == indent.size() ? "" : " ") + word;
  }
  return text + line + "\n";
}

/// A request with what it is composed from.
struct Composing {
  ComposeRequest request;
  ConfigRepository repository;
};

std::string config_text(Composing& from) {
  return titled("Config", to_yaml(compose(from.request, from.repository).unresolved));
}

std::string defaults_text(Composing& from) {
  std::vector<Row> rows = {{"Config path", "Package", "_self_", "Parent", "Chosen by"}};
  for (const DefaultsEntry& entry : defaults_of(from.request, from.repository).entries) {
    rows.push_back({entry.config_path, entry.package, entry.is_self ? "True" : "False",
                    entry.parent, entry.chosen_at});
  }
  return titled("Defaults List", ruled_table(rows));
}

std::string tree_text(Composing& from) {
  std::string text;
  for (const DefaultsLine& line : defaults_of(from.request, from.repository).tree) {
    text += fmt::format("{:{}}{}\n", "", 2 * line.depth, line.text);
  }
  return titled("Defaults Tree", text);
}

std::string groups_text(Composing& from) {
  const auto choices = defaults_of(from.request, from.repository).choices;
  ConfigRepository searched(searched_folders(from.request, from.repository));
  std::string text;
  for (const std::string& group : searched.groups()) {
    const auto chosen =
        std::ranges::find(choices, group, &std::pair<std::string, std::string>::first);
    text += chosen == choices.end() ? group + "\n" : fmt::format("{}={}\n", group, chosen->second);
    const std::vector<std::string> options = searched.options(group);
    if (!options.empty()) text += filled(options, "    ");
  }
  return titled("Groups and their options", text);
}

std::string folders_text(Composing& from) {
  std::vector<Row> rows = {{"Searched in this order"}};
  for (const auto& folder : searched_folders(from.request, from.repository)) {
    rows.push_back({folder.string()});
  }
  rows.push_back({"Hydra's own defaults, built in"});
  return titled("Config search path", ruled_table(rows));
}

using Text = std::string (*)(Composing&);
constexpr std::pair<const char*, Text> kKinds[] = {{"config", config_text},
                                                   {"defaults", defaults_text},
                                                   {"defaults-tree", tree_text},
                                                   {"groups", groups_text},
                                                   {"searchpath", folders_text}};

std::vector<std::string> kind_names() {
  std::vector<std::string> names = {"all"};
  for (const auto& [name, text] : kKinds) names.emplace_back(name);
  return names;
}

}  // namespace

std::string config_composition_kinds() {
  return fmt::format("{}", fmt::join(kind_names(), "|"));
}

std::string config_composition_text(const ConfigArguments& arguments, const std::string& what) {
  const std::vector<std::string> known = kind_names();
  if (std::ranges::find(known, what) == known.end()) {
    throw Error(ErrorKind::kConfig, fmt::format("--info {}: {}", what, suggestion(what, known)));
  }
  ComposeRequest request = compose_request(arguments);
  Composing from{.request = request, .repository = ConfigRepository(request.folders)};
  std::string all;
  for (const auto& [name, text] : kKinds) {
    if (what == "all" || what == name) all += text(from);
  }
  return all;
}

}  // namespace kvscope
