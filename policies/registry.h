#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/config/value.h"
#include "core/engine/plan.h"
#include "policies/budget.h"
#include "policies/policy.h"

namespace kvscope {

/// A registered part, as `kvscope list policies` prints it.
struct PartInfo {
  std::string slot;
  std::string name;
  std::string summary;
};

/// Every part of every slot, in the order of parts.def.
std::vector<PartInfo> policy_parts();

/// Makes the policy that a `policy` group describes:
///   {name: snapkv, summary: ..., allocate: {name: uniform}, score: {name: window_attention, ...},
///    protect: [{name: window}], store: {name: as_is}, schedule: {name: each_scale}}
/// A part without options may be its bare name, protect one part or a list; a slot left out keeps
/// its neutral part (uniform, recency, none, as_is, each_scale). Throws Error(kConfig) with the
/// nearest name for an unknown slot, part or option.
std::unique_ptr<Policy> make_policy(const ConfigNode& policy);

/// Tokens and bytes of every (step, layer, head) before the run.
Plan make_plan(const CacheGeometry& geometry, const ConfigNode& policy, const Budget& budget);

/// Named policies: the YAML files of `policy_folder` (configs/policy) without suffix, sorted.
std::vector<std::string> policy_names(const std::filesystem::path& policy_folder);

/// The `policy` group of a named policy. Throws Error(kConfig) with the nearest name.
ConfigNode named_policy(const std::filesystem::path& policy_folder, const std::string& name);

}  // namespace kvscope
