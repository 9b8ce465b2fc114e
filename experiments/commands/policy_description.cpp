#include "experiments/commands/policy_description.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <vector>

#include "core/base/error.h"
#include "core/config/format.h"

namespace kvscope {
namespace {

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  if (file.bad() || lines.empty()) {
    throw Error(ErrorKind::kInput, fmt::format("{}: cannot be read", path));
  }
  return lines;
}

/// Where the comment of a YAML line begins: a # outside quotes, at the start or behind a space.
size_t comment_begin(const std::string& line) {
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#' && (i == 0 || line[i - 1] == ' ')) {
      return i;
    }
  }
  return std::string::npos;
}

std::string comment_text(const std::string& line) {
  const size_t begin = comment_begin(line);
  if (begin == std::string::npos) return "";
  const size_t text = line.find_first_not_of("# ", begin);
  return text == std::string::npos ? "" : line.substr(text);
}

/// The comment behind a line (counted from 1), with the lines below that hold nothing but more of
/// it, further right than the line's own text begins.
std::string comment_behind(const std::vector<std::string>& lines, int line) {
  if (line < 1 || static_cast<size_t>(line) > lines.size()) return "";
  const std::string& own = lines[static_cast<size_t>(line) - 1];
  std::string text = comment_text(own);
  if (text.empty()) return text;
  const size_t indent = own.find_first_not_of(' ');
  for (size_t next = static_cast<size_t>(line); next < lines.size(); ++next) {
    const size_t begin = lines[next].find_first_not_of(' ');
    if (begin == std::string::npos || lines[next][begin] != '#' || begin <= indent) break;
    text += " " + comment_text(lines[next]);
  }
  return text;
}

/// The comment behind an option, which stands in the line of its value, or, where that is a block,
/// in the line above.
std::string comment_of(const std::vector<std::string>& lines,
                       const ConfigNode& value,
                       const std::string& key) {
  const int line = value.origin().line;
  std::string text = comment_behind(lines, line);
  const bool block = line >= 2 && static_cast<size_t>(line) <= lines.size() &&
                     lines[static_cast<size_t>(line) - 2].find(key + ":") != std::string::npos;
  return text.empty() && block ? comment_behind(lines, line - 1) : text;
}

/// The comment of the file that speaks of `key`: options that others stand for are not written.
std::string comment_naming(const std::vector<std::string>& lines, const std::string& key) {
  for (size_t line = 0; line < lines.size(); ++line) {
    if (lines[line].starts_with('#')) continue;
    std::string text = comment_behind(lines, static_cast<int>(line) + 1);
    if (text.find(key) != std::string::npos) return text;
  }
  return "";
}

std::string header_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    if (!line.starts_with('#')) break;
    text += line.substr(std::min<size_t>(line.size(), 2)) + "\n";
  }
  return text;
}

/// The part's node below "policy.score" or "policy.protect.1"; null for a slot left out.
const ConfigNode* node_at(const ConfigNode& policy, const PartKnobs& knobs) {
  const ConfigNode* node = policy.child(knobs.part.slot);
  const std::string slot = "policy." + knobs.part.slot;
  if (node == nullptr || knobs.where.size() <= slot.size()) return node;
  return &node->items()[std::stoul(knobs.where.substr(slot.size() + 1))];
}

/// The option as it is written in the policy; null where it is left out.
const ConfigNode* written_option(const ConfigNode& policy,
                                 const PartKnobs& knobs,
                                 const std::string& key) {
  const ConfigNode* node = node_at(policy, knobs);
  return node != nullptr && node->is_map() ? node->child(key) : nullptr;
}

/// The first explanation of a part's option among all policies.
std::string explained_elsewhere(ConfigRepository& repository,
                                const PartRegistry& parts,
                                const PartInfo& part,
                                const std::string& key) {
  for (const std::string& name : repository.options("policy")) {
    const LoadedConfig& other = *repository.load("policy/" + name);
    for (const PartKnobs& knobs : policy_knobs(other.body, parts)) {
      if (knobs.part.slot != part.slot || knobs.part.name != part.name) continue;
      const ConfigNode* given = written_option(other.body, knobs, key);
      if (given == nullptr) continue;
      std::string text = comment_of(lines_of(other.file), *given, key);
      if (!text.empty()) return text;
    }
  }
  return "";
}

}  // namespace

std::string policy_description(ConfigRepository& repository,
                               const std::string& name,
                               const PartRegistry& parts) {
  const LoadedConfig& policy = *repository.load("policy/" + name);
  const std::vector<std::string> lines = lines_of(policy.file);
  std::string text = fmt::format("{}\n", policy.file) + header_of(lines);
  const auto append = [&](const std::string& more) { text += more + "\n"; };
  for (const char* key : {"summary", "source"}) {
    const ConfigNode* node = policy.body.child(key);
    if (node != nullptr && node->is_string()) {
      append(fmt::format("{}: {}", key, node->as_string()));
    }
  }
  for (const PartKnobs& knobs : policy_knobs(policy.body, parts)) {
    append(fmt::format("\n{}: {} ({})", knobs.where, knobs.part.name, knobs.part.summary));
    for (const OptionInfo& option : knobs.options) {
      const ConfigNode* given = written_option(policy.body, knobs, option.key);
      std::string value = given == nullptr ? option.standard : to_yaml(*given);
      value.erase(value.find_last_not_of('\n') + 1);
      if (value.find('\n') != std::string::npos) value = "as in the file";
      append(fmt::format("  {} = {}{}{}", option.key, value,
                         option.standard.empty() ? "" : "  default " + option.standard,
                         option.range.empty() ? "" : fmt::format("  [{}]", option.range)));
      std::string explained = given == nullptr ? "" : comment_of(lines, *given, option.key);
      if (explained.empty()) {
        explained = explained_elsewhere(repository, parts, knobs.part, option.key);
      }
      if (explained.empty()) explained = comment_naming(lines, option.key);
      if (!explained.empty()) append("      " + explained);
    }
  }
  return text;
}

}  // namespace kvscope
