#include "experiments/sweep/known_keys.h"

#include <algorithm>
#include <optional>

#include "core/config/declared_words.h"
#include "experiments/sweep/run_keys.h"

namespace kvscope {
namespace {

/// The keys of the built-in components of policies; lives as long as the program.
const std::vector<RunKey>& built_in_policy_keys() {
  static const std::vector<RunKey> keys = policy_keys(ComponentRegistry());
  return keys;
}

ConfigNode default_of(const OptionInfo& option) {
  return option.default_value.value_or(ConfigNode());
}

/// The option of that key of a component that the policy is made of.
std::optional<ConfigNode> default_of_chosen(const ConfigNode& policy,
                                            const std::string& key,
                                            const ComponentRegistry& components) {
  for (const ChosenComponent& chosen : chosen_components(policy, components)) {
    for (const OptionInfo& option : chosen.options) {
      if (option.key == key) return default_of(option);
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> declared_words_of(const std::string& key) {
  std::vector<std::string> words;
  for (const std::vector<RunKey>* keys : {&run_keys(), &built_in_policy_keys()}) {
    for (const RunKey& known : *keys) {
      if (known.option.key != key) continue;
      for (std::string& word : declared_words(known.option)) {
        if (std::ranges::find(words, word) == words.end()) words.push_back(std::move(word));
      }
    }
  }
  return words;
}

UnlistedKeys unlisted_keys(const ConfigNode& config, const ComponentRegistry& components) {
  UnlistedKeys keys;
  keys.value = [&](const std::string& key) -> std::optional<ConfigNode> {
    const ConfigNode* policy = config.child("policy");
    if (policy != nullptr && policy->is_map() && key.starts_with("policy.")) {
      if (auto value = default_of_chosen(*policy, key, components)) return value;
    }
    for (const RunKey& known : run_keys()) {
      if (known.option.key == key)
        return known.readers.empty() ? default_of(known.option) : ConfigNode();
    }
    const bool is_of_policies = std::ranges::any_of(
        policy_keys(components), [&](const RunKey& known) { return known.option.key == key; });
    return is_of_policies ? std::optional(ConfigNode()) : std::nullopt;
  };
  keys.names = [&] {
    std::vector<std::string> names;
    for (const std::vector<RunKey>& some : {run_keys(), policy_keys(components)}) {
      for (const RunKey& known : some) names.push_back(known.option.key);
    }
    return names;
  };
  return keys;
}

}  // namespace kvscope
