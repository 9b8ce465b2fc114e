#pragma once

#include <string>
#include <vector>

#include "core/config/options.h"
#include "policies/registry.h"

namespace kvscope {

/// A key of the configuration as the reader that reads it declares it.
struct RunKey {
  OptionInfo option{};
  /// Who reads it where not everyone does: families of models, or components of policies.
  std::vector<std::string> readers{};
};

/// Every key that some reader of a run reads, the groups in turn; a key that families declare
/// differently has an entry for each. Without the components of policies. Lives as long as the
/// program.
const std::vector<RunKey>& run_keys();

/// The keys of the components of policies: "policy.score.window" of window_attention, cake, ...
std::vector<RunKey> policy_keys(const ComponentRegistry& components);

/// "int, at least 1, default 16; window_attention, cake": what the key may be and who reads it.
std::string describe(const RunKey& key);

/// Which command a configuration is for.
enum class ConfigUse { kRun, kTrain };

/// Throws Error(kConfig) with everything that is wrong, one per line: keys that nobody reads, with
/// the nearest that somebody does, types, ranges and words. The slots of `policy` are for
/// make_policy() to check, and whether values fit each other is for their readers. `groups`: those
/// of the configuration's folders, which an unknown key may have been meant for.
void check_config(const ConfigNode& config,
                  ConfigUse use,
                  const ComponentRegistry& components = ComponentRegistry(),
                  const std::vector<std::string>& groups = {});

/// Keys of a run's config that nothing reads, those of its policy included; `finding`s as
/// check_config() says them.
std::vector<UnreadKey> unread_keys(const ConfigNode& config,
                                   const ComponentRegistry& components,
                                   const std::vector<std::string>& groups = {});

/// The keys of this config that no hash is taken over: what changes no image, and the defaults of
/// keys that are younger than results.
std::vector<std::string> keys_outside_hash(const ConfigNode& config);

/// Keys that say how many of a point's images are made, how, and what is measured on them: once
/// part of hashes, and no more (Identity::kFormerly).
std::vector<std::string> formerly_hashed_keys();

/// Likewise of the hashes that results had while formerly_hashed_keys() were part of them.
std::vector<std::string> keys_outside_former_hash(const ConfigNode& config);

}  // namespace kvscope
