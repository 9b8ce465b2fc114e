#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/config/value.h"
#include "core/engine/plan.h"
#include "policies/budget.h"
#include "policies/part.h"
#include "policies/policy.h"

namespace kvscope {

/// A registered part, as `kvscope list parts` prints it.
struct PartInfo {
  std::string slot{};
  std::string name{};
  std::string summary{};
  std::string library{};  ///< the plug-in it came from; empty for the built-in ones
};

/// A part of a policy with every option it reads.
struct PartKnobs {
  PartInfo part{};
  std::string where{};  ///< "policy.score", or "policy.protect.1" in a list
  std::vector<OptionInfo> options{};
};

/// The parts that a policy may be made of: the built-in ones of parts.def, in its order, and what
/// plug-ins add (policies/plugin.h). A value: whoever adds a part does so in a registry of its own.
class PartRegistry {
 public:
  /// With the built-in parts.
  PartRegistry();

  /// Parts that are added from now on come from this plug-in.
  void from_library(const std::string& library) { library_ = library; }
  /// Adds a part; its slot and library are filled in. Throws Error(kConfig) where the slot has a
  /// part of that name already.
  void add(const PartInfo& info, MakePart<Allocate>* maker);
  void add(const PartInfo& info, MakePart<Score>* maker);
  void add(const PartInfo& info, MakePart<Protect>* maker);
  void add(const PartInfo& info, MakePart<Store>* maker);
  void add(const PartInfo& info, MakePart<Schedule>* maker);
  void add(const PartInfo& info, MakePart<Read>* maker);

  [[nodiscard]] std::vector<PartInfo> parts() const;

  /// Makes the part that `node` names; `knobs` receives the part and the options it read.
  template <class Slot>
  std::unique_ptr<Slot> make(const std::string& where,
                             const ConfigNode& node,
                             PartKnobs* knobs = nullptr) const;

 private:
  struct Part {
    PartInfo info;
    std::variant<MakePart<Allocate>*,
                 MakePart<Score>*,
                 MakePart<Protect>*,
                 MakePart<Store>*,
                 MakePart<Schedule>*,
                 MakePart<Read>*>
        make;
  };
  template <class Slot>
  void add_part(const char* slot, const PartInfo& info, MakePart<Slot>* maker);

  std::vector<Part> parts_;
  std::string library_;
};

/// Every built-in part of every slot, in the order of parts.def.
std::vector<PartInfo> policy_parts();

/// Makes the policy that a `policy` group describes:
///   {name: snapkv, summary: ..., source: ..., allocate: {name: uniform},
///    score: {name: window_attention, ...}, protect: [{name: window}], store: {name: as_is},
///    schedule: {name: each_scale}, read: {name: all}}
/// A part without options may be its bare name, protect one part or a list; a slot left out keeps
/// its neutral part (uniform, recency, none, as_is, each_scale, all). Options of slots that they
/// stood in before there was `read` are taken (policies/old_spellings.h). Throws Error(kConfig)
/// with the nearest name for an unknown slot, part or option, and with what fits for a score
/// that goes by heads (HeadKinds) that the allocation does not tell apart.
std::unique_ptr<Policy> make_policy(const ConfigNode& policy,
                                    const PartRegistry& registry = PartRegistry());

/// The parts of a `policy` group in the order of the slots. Throws as make_policy() does.
std::vector<PartKnobs> policy_knobs(const ConfigNode& policy,
                                    const PartRegistry& registry = PartRegistry());

/// Tokens and bytes of every (step, layer, head) before the run.
Plan make_plan(const CacheGeometry& geometry,
               const ConfigNode& policy,
               const Budget& budget,
               const PartRegistry& registry = PartRegistry());

/// Named policies: the YAML files of `policy_folder` (configs/policy) without suffix, sorted.
std::vector<std::string> policy_names(const std::filesystem::path& policy_folder);

/// The `policy` group of a named policy. Throws Error(kConfig) with the nearest name.
ConfigNode named_policy(const std::filesystem::path& policy_folder, const std::string& name);

}  // namespace kvscope
