#include "experiments/sweep/misspelt_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "core/base/edit_distance.h"
#include "core/config/format.h"
#include "experiments/sweep/run_keys.h"

namespace kvscope {
namespace {

/// What stands in a policy beside the options of its components.
std::vector<std::string> policy_names() {
  std::vector<std::string> names = {"policy.name", "policy.summary", "policy.source"};
  for (const char* slot : {"allocate", "score", "protect", "store", "schedule", "read"}) {
    names.push_back(fmt::format("policy.{}", slot));
    names.push_back(fmt::format("policy.{}.name", slot));
  }
  return names;
}

/// Every key, and every group that has some.
class KnownNames {
 public:
  explicit KnownNames(const ComponentRegistry& components) {
    for (const std::vector<RunKey>& some : {run_keys(), policy_keys(components)}) {
      for (const RunKey& key : some) add(key.option.key);
    }
    for (const std::string& name : policy_names()) add(name);
  }

  /// Whether somebody reads the key, what is below it, or what it is a part of.
  [[nodiscard]] bool knows(const std::string& key) const {
    if (keys_.contains(key) || groups_.contains(key)) return true;
    for (size_t dot = key.rfind('.'); dot != key.npos && dot > 0; dot = key.rfind('.', dot - 1)) {
      if (keys_.contains(key.substr(0, dot))) return true;
    }
    return false;
  }

  [[nodiscard]] const std::set<std::string>& keys() const { return keys_; }

 private:
  void add(const std::string& key) {
    keys_.insert(key);
    for (size_t dot = key.find('.'); dot != key.npos; dot = key.find('.', dot + 1)) {
      groups_.insert(key.substr(0, dot));
    }
  }

  std::set<std::string> keys_;
  std::set<std::string> groups_;
};

struct Leaf {
  std::string key;
  const ConfigNode* value;
};

void add_leaves(const ConfigNode& node, const std::string& key, std::vector<Leaf>& leaves) {
  if (!node.is_map() || node.size() == 0) {
    leaves.push_back({.key = key, .value = &node});
    return;
  }
  for (const ConfigEntry& entry : node.entries()) {
    add_leaves(entry.value, key.empty() ? entry.name : key + "." + entry.name, leaves);
  }
}

constexpr size_t kTypos = 2;

/// "Did you mean 'gen.cfg'? (float, ...)", or the option of a group; "" where nothing is near.
std::string meant(const Leaf& leaf,
                  const KnownNames& known,
                  const std::vector<std::string>& groups) {
  std::vector<std::string> names(known.keys().begin(), known.keys().end());
  names.insert(names.end(), groups.begin(), groups.end());
  const std::string near = nearest_within(leaf.key, names, kTypos);
  if (near.empty()) return "";
  if (known.keys().contains(near)) {
    for (const RunKey& key : run_keys()) {
      if (key.option.key == near)
        return fmt::format("Did you mean '{}'? ({})", near, describe(key));
    }
    return fmt::format("Did you mean '{}'?", near);
  }
  const std::string value = leaf.value->is_string() ? leaf.value->as_string() : "OPTION";
  return fmt::format("Did you mean the group '{}'? +{}={} adds an option of it", near, near, value);
}

}  // namespace

std::vector<UnreadKey> misspelt_keys(const ConfigNode& config,
                                     const ComponentRegistry& components,
                                     const std::vector<std::string>& groups) {
  std::vector<UnreadKey> found;
  std::vector<Leaf> leaves;
  add_leaves(config, "", leaves);
  static const KnownNames built_in{ComponentRegistry()};
  std::optional<KnownNames> known;  // with those of plug-ins; for what is unknown alone
  for (const Leaf& leaf : leaves) {
    if (leaf.key.empty() || built_in.knows(leaf.key)) continue;
    if (!known) known.emplace(components);
    if (known->knows(leaf.key)) continue;
    const std::string said = meant(leaf, *known, groups);
    if (said.empty()) continue;
    const std::string origin = leaf.value->origin().text();
    found.push_back({.key = leaf.key,
                     .finding = fmt::format("{}{}unknown key '{}'. {}", origin,
                                            origin.empty() ? "" : ": ", leaf.key, said)});
  }
  return found;
}

}  // namespace kvscope
