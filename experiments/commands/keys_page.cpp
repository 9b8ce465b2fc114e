#include "experiments/commands/keys_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/config/format.h"

namespace kvscope {
namespace {

constexpr const char* kIntroduction =
    R"(<!-- Printed by: kvscope list keys --format md > docs/keys.md -->
# Every key

What a configuration file may hold below its groups, and a command line as `key=value`. `kvscope describe KEY` says the same of one
key, `kvscope run --cfg job --origin` which value it has and where that was written. A key that is not here is an error.

"Read by" names the model families, or the components of policies, that read a key where not every run does.
)";

/// The types that the readers of options know; what is allowed of them stands behind a comma.
constexpr std::string_view kTypes[] = {"int",
                                       "float",
                                       "bool",
                                       "number or list of numbers",
                                       "int or list of ints",
                                       "string",
                                       "string or list of strings"};

/// "int, 1..31" in two.
std::pair<std::string, std::string> type_and_range(const std::string& accepts) {
  constexpr std::string_view kBefore = "one of ";
  for (const std::string_view type : kTypes) {
    if (accepts == type) return {accepts, ""};
    if (!accepts.starts_with(std::string(type) + ", ")) continue;
    std::string range = accepts.substr(type.size() + 2);
    if (range.starts_with(kBefore)) range.erase(0, kBefore.size());
    return {std::string(type), range};
  }
  return {accepts, ""};
}

std::string default_text(const OptionInfo& option) {
  if (!option.default_from.empty()) return option.default_from;
  if (!option.default_value) return option.nullable ? "null" : "must be given";
  const ConfigNode& value = *option.default_value;
  return value.is_string() ? value.as_string() : canonical_json(value);
}

/// Text as it stands in a cell of a table.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '*' || c == '_') out += '\\';
    out += c;
  }
  return out;
}

std::string code(const std::string& text) {
  return text.empty() ? "" : "`" + text + "`";
}

/// The group of a key: "gen", "policy.score", "" at the top.
std::string section_of(const std::string& key) {
  const size_t first = key.find('.');
  if (first == key.npos) return "";
  const bool has_slots = key.starts_with("policy.");
  const size_t second = has_slots ? key.find('.', first + 1) : first;
  return key.substr(0, second == key.npos ? first : second);
}

std::string row_text(const RunKey& key, bool has_readers) {
  const auto [type, range] = type_and_range(key.option.accepts);
  std::string text = fmt::format("| `{}` | {} | {} | {} | {} | {} |", key.option.key, cell(type),
                                 cell(range), cell(key.option.unit), code(default_text(key.option)),
                                 key.option.nullable ? "yes" : "");
  if (has_readers)
    text += fmt::format(" {} |", cell(fmt::format("{}", fmt::join(key.readers, ", "))));
  return text + fmt::format(" {} |\n", cell(key.option.help));
}

}  // namespace

std::string keys_page(const std::vector<RunKey>& keys) {
  std::vector<std::string> sections;
  for (const RunKey& key : keys) {
    const std::string section = section_of(key.option.key);
    if (std::ranges::find(sections, section) == sections.end()) sections.push_back(section);
  }
  std::string page = kIntroduction;
  for (const std::string& section : sections) {
    std::vector<RunKey> own;
    std::ranges::copy_if(keys, std::back_inserter(own),
                         [&](const RunKey& key) { return section_of(key.option.key) == section; });
    const bool has_readers =
        std::ranges::any_of(own, [](const RunKey& key) { return !key.readers.empty(); });
    page += section.empty() ? "\n## At the top\n\n" : fmt::format("\n## `{}`\n\n", section);
    page += fmt::format("| Key | Type | Allowed | Unit | Default | Null |{} For |\n",
                        has_readers ? " Read by |" : "");
    page += fmt::format("|---|---|---|---|---|---|---|{}\n", has_readers ? "---|" : "");
    for (const RunKey& key : own) page += row_text(key, has_readers);
  }
  return page;
}

}  // namespace kvscope
