#include "core/config/sweep_blocks.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/override.h"

namespace kvscope {
namespace {

[[noreturn]] void fail(const ConfigNode& node, const std::string& what) {
  const std::string where = node.origin().text();
  throw Error(ErrorKind::kConfig, where.empty() ? what : where + ": " + what);
}

std::vector<SweeperParameter> parameters_of(const ConfigNode& map) {
  std::vector<SweeperParameter> parameters;
  for (const ConfigEntry& entry : map.entries()) {
    if (entry.value.is_interpolation()) {
      fail(entry.value, fmt::format("hydra.sweeper: {}: '{}' cannot be resolved", entry.name,
                                    entry.value.as_string()));
    }
    const std::string text = entry.value.is_null() ? "null" : python_text(entry.value);
    parameters.push_back({.input = entry.name + "=" + text, .origin = entry.value.origin()});
  }
  return parameters;
}

}  // namespace

std::vector<SweeperParameter> sweeper_params(const ConfigNode& hydra) {
  const ConfigNode* node = hydra.find("sweeper.params");
  if (node == nullptr || node->is_null()) return {};
  if (!node->is_map()) {
    fail(*node, fmt::format("hydra.sweeper.params must be a mapping of keys to values, got {}",
                            kind_name(node->kind())));
  }
  return parameters_of(*node);
}

std::vector<std::vector<SweeperParameter>> sweeper_blocks(const ConfigNode& hydra) {
  std::vector<std::vector<SweeperParameter>> blocks;
  const ConfigNode* node = hydra.find("sweeper.blocks");
  if (node == nullptr || node->is_null()) return blocks;
  const char* expected = "a mapping of keys to values, or a list of overrides";
  if (!node->is_list() || node->size() == 0) {
    fail(*node, fmt::format("hydra.sweeper.blocks must be a list, each {}; got {}", expected,
                            node->is_list() ? "an empty one" : kind_name(node->kind())));
  }
  for (const ConfigNode& block : node->items()) {
    if (block.is_map()) {
      blocks.push_back(parameters_of(block));
      continue;
    }
    const bool are_texts =
        block.is_list() && std::ranges::all_of(block.items(), &ConfigNode::is_string);
    if (!are_texts) {
      fail(block, fmt::format("a block of hydra.sweeper.blocks is {}, got {}", expected,
                              kind_name(block.kind())));
    }
    std::vector<SweeperParameter>& parameters = blocks.emplace_back();
    for (const ConfigNode& text : block.items()) {
      parameters.push_back({.input = text.as_string(), .origin = text.origin()});
    }
  }
  return blocks;
}

void check_sweeper(const ConfigNode& hydra) {
  const ConfigNode* sweeper = hydra.child("sweeper");
  if (sweeper == nullptr || !sweeper->is_map()) return;
  const std::vector<std::string> known = {"params", "blocks", "filter", "max_batch_size"};
  for (const ConfigEntry& entry : sweeper->entries()) {
    if (entry.name == "_target_" || std::ranges::find(known, entry.name) != known.end()) continue;
    fail(entry.value, fmt::format("unknown key 'hydra.sweeper.{}'. {}", entry.name,
                                  suggestion(entry.name, known)));
  }
}

std::vector<SweeperParameter> swept_keys(const ConfigNode& hydra) {
  std::vector<SweeperParameter> keys;
  const auto add = [&](const std::string& key, const ConfigOrigin& origin) {
    if (!key.empty() && std::ranges::find(keys, key, &SweeperParameter::input) == keys.end()) {
      keys.push_back({.input = key, .origin = origin});
    }
  };
  std::vector<std::vector<SweeperParameter>> grids = {sweeper_params(hydra)};
  for (std::vector<SweeperParameter>& block : sweeper_blocks(hydra))
    grids.push_back(std::move(block));
  for (const std::vector<SweeperParameter>& grid : grids) {
    for (const SweeperParameter& parameter : grid) {
      try {
        const Override override = parse_override(parameter.input);
        if (override.zipped.empty()) add(override.key, parameter.origin);
        for (const Override& member : override.zipped) add(member.key, parameter.origin);
      } catch (const Error&) {
        continue;  // whoever makes the sweep says what is wrong
      }
    }
  }
  return keys;
}

}  // namespace kvscope
