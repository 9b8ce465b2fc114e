#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/config/options.h"
#include "core/config/value.h"
#include "core/engine/plan.h"
#include "policies/budget.h"
#include "policies/component.h"
#include "policies/policy.h"

namespace kvscope {

/// A registered component, as `kvscope list components` prints it.
struct ComponentInfo {
  std::string slot{};
  std::string name{};
  std::string summary{};
  std::string library{};  ///< the plug-in it came from; empty for the built-in ones
};

/// A component of a policy with every option it reads.
struct ChosenComponent {
  ComponentInfo info{};
  std::string where{};  ///< "policy.score", or "policy.protect.1" in a list
  std::vector<OptionInfo> options{};
};

/// The components that a policy may be made of: the built-in ones of components.def, in its order,
/// and what plug-ins add (policies/plugin.h). A value: whoever adds a component does so in a
/// registry of its own.
class ComponentRegistry {
 public:
  /// With the built-in components.
  ComponentRegistry();

  /// Components that are added from now on come from this plug-in.
  void from_library(const std::string& library) { library_ = library; }
  /// Adds a component; its slot and library are filled in. Throws Error(kConfig) where the slot has
  /// a component of that name already.
  void add(const ComponentInfo& info, MakeComponent<Allocate>* maker);
  void add(const ComponentInfo& info, MakeComponent<Score>* maker);
  void add(const ComponentInfo& info, MakeComponent<Protect>* maker);
  void add(const ComponentInfo& info, MakeComponent<Store>* maker);
  void add(const ComponentInfo& info, MakeComponent<Schedule>* maker);
  void add(const ComponentInfo& info, MakeComponent<Read>* maker);

  [[nodiscard]] std::vector<ComponentInfo> components() const;

  /// Makes the component that `node` names; `chosen` receives the component and the options it
  /// read.
  template <class Slot>
  std::unique_ptr<Slot> make(const std::string& where,
                             const ConfigNode& node,
                             ChosenComponent* chosen = nullptr) const;
  /// Keys of the component that `node` names which it does not read; none where it cannot be made,
  /// as make() then says.
  template <class Slot>
  [[nodiscard]] std::vector<UnreadKey> unread(const std::string& where,
                                              const ConfigNode& node) const;

 private:
  struct Registered {
    ComponentInfo info;
    std::variant<MakeComponent<Allocate>*,
                 MakeComponent<Score>*,
                 MakeComponent<Protect>*,
                 MakeComponent<Store>*,
                 MakeComponent<Schedule>*,
                 MakeComponent<Read>*>
        make;
  };
  template <class Slot>
  void add_component(const char* slot, const ComponentInfo& info, MakeComponent<Slot>* maker);

  std::vector<Registered> components_;
  std::string library_;
};

/// Every built-in component of every slot, in the order of components.def.
std::vector<ComponentInfo> policy_components();

/// Makes the policy that a `policy` group describes:
///   {name: snapkv, summary: ..., source: ..., allocate: {name: uniform},
///    score: {name: window_attention, ...}, protect: [{name: window}], store: {name: as_is},
///    schedule: {name: each_scale}, read: {name: all}}
/// A component without options may be its bare name, protect one component or a list; a slot left
/// out keeps its neutral component (uniform, recency, none, as_is, each_scale, all). Options of
/// slots that they stood in before there was `read` are taken (policies/old_spellings.h). Throws
/// Error(kConfig) with the nearest name for an unknown slot, component or option, and with what
/// fits for a score that goes by heads (HeadKinds) that the allocation does not tell apart.
std::unique_ptr<Policy> make_policy(const ConfigNode& policy,
                                    const ComponentRegistry& registry = ComponentRegistry());

/// The components of a `policy` group in the order of the slots. Throws as make_policy() does.
std::vector<ChosenComponent> chosen_components(
    const ConfigNode& policy, const ComponentRegistry& registry = ComponentRegistry());

/// Keys of a `policy` group that nothing reads: not those beside its slots, nor its components.
std::vector<UnreadKey> unread_policy_keys(const ConfigNode& policy,
                                          const ComponentRegistry& registry);

/// Tokens and bytes of every (step, layer, head) before the run.
Plan make_plan(const CacheGeometry& geometry,
               const ConfigNode& policy,
               const Budget& budget,
               const ComponentRegistry& registry = ComponentRegistry());

/// Named policies: the YAML files of `policy_folder` (configs/policy) without suffix, sorted.
std::vector<std::string> policy_names(const std::filesystem::path& policy_folder);

/// The `policy` group of a named policy. Throws Error(kConfig) with the nearest name.
ConfigNode named_policy(const std::filesystem::path& policy_folder, const std::string& name);

}  // namespace kvscope
