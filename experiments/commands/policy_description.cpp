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

std::string header_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    if (!line.starts_with('#')) break;
    text += line.substr(std::min<size_t>(line.size(), 2)) + "\n";
  }
  return text;
}

/// The component's node below "policy.score" or "policy.protect.1"; null for a slot left out.
const ConfigNode* node_at(const ConfigNode& policy, const ChosenComponent& chosen) {
  const ConfigNode* node = policy.child(chosen.info.slot);
  const std::string slot = "policy." + chosen.info.slot;
  if (node == nullptr || chosen.where.size() <= slot.size()) return node;
  return &node->items()[std::stoul(chosen.where.substr(slot.size() + 1))];
}

/// The option as it is written in the policy; null where it is left out.
const ConfigNode* written_option(const ConfigNode& policy,
                                 const ChosenComponent& chosen,
                                 const std::string& key) {
  const ConfigNode* node = node_at(policy, chosen);
  return node != nullptr && node->is_map() ? node->child(key) : nullptr;
}

}  // namespace

std::string policy_description(ConfigRepository& repository,
                               const std::string& name,
                               const ComponentRegistry& components) {
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
  for (const ChosenComponent& chosen : chosen_components(policy.body, components)) {
    append(fmt::format("\n{}: {} ({})", chosen.where, chosen.info.name, chosen.info.summary));
    for (const OptionInfo& option : chosen.options) {
      const ConfigNode* given = written_option(policy.body, chosen, option.name);
      if (given == nullptr && option.default_value) given = &*option.default_value;
      std::string value = given == nullptr ? "null" : to_yaml(*given);
      value.erase(value.find_last_not_of('\n') + 1);
      if (value.find('\n') != std::string::npos) value = "as in the file";
      append(fmt::format("  {} = {}  ({})", option.name, value, describe(option)));
      append("      " + option.help);
    }
  }
  return text;
}

}  // namespace kvscope
