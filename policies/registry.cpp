#include "policies/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>

#include "core/base/error.h"
#include "core/config/yaml.h"
#include "policies/component.h"
#include "policies/old_spellings.h"

namespace kvscope {

using allocate_slot = Allocate;
using score_slot = Score;
using protect_slot = Protect;
using store_slot = Store;
using schedule_slot = Schedule;
using read_slot = Read;

#define KVSCOPE_COMPONENT(slot, name, summary) MakeComponent<slot##_slot> make_##slot##_##name;
#include "policies/components.def"
#undef KVSCOPE_COMPONENT

template <class Slot>
void ComponentRegistry::add_component(const char* slot,
                                      const ComponentInfo& info,
                                      MakeComponent<Slot>* maker) {
  for (const Registered& component : components_) {
    if (!std::holds_alternative<MakeComponent<Slot>*>(component.make) ||
        component.info.name != info.name) {
      continue;
    }
    throw Error(
        ErrorKind::kConfig,
        fmt::format("{}: the {} component '{}' exists already{}; give yours another name",
                    library_.empty() ? "components" : library_, slot, info.name,
                    component.info.library.empty() ? "" : " (" + component.info.library + ")"));
  }
  components_.push_back({.info = info, .make = maker});
  components_.back().info.slot = slot;
  components_.back().info.library = library_;
}

void ComponentRegistry::add(const ComponentInfo& info, MakeComponent<Allocate>* maker) {
  add_component("allocate", info, maker);
}
void ComponentRegistry::add(const ComponentInfo& info, MakeComponent<Score>* maker) {
  add_component("score", info, maker);
}
void ComponentRegistry::add(const ComponentInfo& info, MakeComponent<Protect>* maker) {
  add_component("protect", info, maker);
}
void ComponentRegistry::add(const ComponentInfo& info, MakeComponent<Store>* maker) {
  add_component("store", info, maker);
}
void ComponentRegistry::add(const ComponentInfo& info, MakeComponent<Schedule>* maker) {
  add_component("schedule", info, maker);
}
void ComponentRegistry::add(const ComponentInfo& info, MakeComponent<Read>* maker) {
  add_component("read", info, maker);
}

ComponentRegistry::ComponentRegistry() {
#define KVSCOPE_COMPONENT(slot, name, summary) \
  add({#slot, #name, summary, {}}, make_##slot##_##name);
#include "policies/components.def"
#undef KVSCOPE_COMPONENT
}

std::vector<ComponentInfo> ComponentRegistry::components() const {
  std::vector<ComponentInfo> infos;
  for (const Registered& component : components_) infos.push_back(component.info);
  return infos;
}

template <class Slot>
std::unique_ptr<Slot> ComponentRegistry::make(const std::string& where,
                                              const ConfigNode& node,
                                              ChosenComponent* chosen) const {
  const std::string name = component_name(where, node);
  std::vector<std::string> known;
  for (const Registered& component : components_) {
    const auto* make = std::get_if<MakeComponent<Slot>*>(&component.make);
    if (make == nullptr) continue;
    if (component.info.name == name) {
      Options options = component_options(where, node);
      auto made = (*make)(options);
      options.finish();
      if (chosen != nullptr) *chosen = {component.info, where, options.asked()};
      return made;
    }
    known.push_back(component.info.name);
  }
  const ConfigNode* written = node.is_map() ? node.child("name") : &node;
  const std::string origin = written->origin().text();
  throw Error(ErrorKind::kConfig,
              fmt::format("{}{}{}: unknown component '{}'. {}", origin, origin.empty() ? "" : ": ",
                          where, name, suggestion(name, known)));
}

template <class Slot>
std::vector<UnreadKey> ComponentRegistry::unread(const std::string& where,
                                                 const ConfigNode& node) const {
  const ConfigNode* name = node.child("name");
  if (name == nullptr || !name->is_string()) return {};
  for (const Registered& component : components_) {
    const auto* make = std::get_if<MakeComponent<Slot>*>(&component.make);
    if (make == nullptr || component.info.name != name->as_string()) continue;
    Options options = Options::checking(where, node);
    options.leave_to_others({"name"});
    try {
      static_cast<void>((*make)(options));
    } catch (const Error&) {
      return {};
    }
    return options.unread();
  }
  return {};
}

namespace {

/// A slot's components as they are written, each with its place.
std::vector<std::pair<std::string, ConfigNode>> written_components(const ConfigNode& policy,
                                                                   const std::string& slot,
                                                                   const std::string& neutral) {
  const ConfigNode* node = policy.child(slot);
  const std::string where = "policy." + slot;
  if (node == nullptr || node->is_null()) return {{where, ConfigNode(neutral)}};
  if (slot != "protect" || !node->is_list()) return {{where, *node}};
  std::vector<std::pair<std::string, ConfigNode>> components;
  for (std::size_t i = 0; i < node->size(); ++i) {
    components.emplace_back(fmt::format("{}.{}", where, i), node->items()[i]);
  }
  return components;
}

/// Makes the components of one slot; `chosen` receives what they ask for.
template <class Slot>
std::vector<std::unique_ptr<Slot>> fill(const ConfigNode& policy,
                                        const std::string& slot,
                                        const std::string& neutral,
                                        const ComponentRegistry& registry,
                                        std::vector<ChosenComponent>* chosen) {
  std::vector<std::unique_ptr<Slot>> made;
  for (const auto& [where, node] : written_components(policy, slot, neutral)) {
    ChosenComponent of_component;
    made.push_back(registry.make<Slot>(where, node, chosen == nullptr ? nullptr : &of_component));
    if (chosen != nullptr) chosen->push_back(std::move(of_component));
  }
  return made;
}

/// Reads what stands beside the slots: it is for people.
void read_captions(Options& options) {
  for (const char* key : {"name", "summary", "source"}) {
    static_cast<void>(options.value(
        {.key = key, .accepts = "text", .help = "what it is called, in tables and lists"}));
  }
  options.leave_to_others({"allocate", "score", "protect", "store", "schedule", "read"});
}

void check_keys(const ConfigNode& policy) {
  if (!policy.is_map()) {
    throw Error(ErrorKind::kConfig,
                "policy: expected the six slots, as in configs/policy/snapkv.yaml");
  }
  Options options("policy", policy);
  read_captions(options);
  options.finish();
}

PolicySlots fill_slots(const ConfigNode& as_written,
                       const ComponentRegistry& registry,
                       std::vector<ChosenComponent>* chosen) {
  check_keys(as_written);
  ConfigNode policy = as_written;
  static_cast<void>(update_spelling(policy));  // whoever composed it has warned
  PolicySlots slots;
  slots.allocate =
      std::move(fill<Allocate>(policy, "allocate", "uniform", registry, chosen).front());
  slots.score = std::move(fill<Score>(policy, "score", "recency", registry, chosen).front());
  slots.protect = fill<Protect>(policy, "protect", "none", registry, chosen);
  slots.store = std::move(fill<Store>(policy, "store", "as_is", registry, chosen).front());
  slots.schedule =
      std::move(fill<Schedule>(policy, "schedule", "each_scale", registry, chosen).front());
  slots.read = std::move(fill<Read>(policy, "read", "all", registry, chosen).front());
  return slots;
}

/// Names of the slot's components that answer `wanted` to their head_kinds(), as they are by
/// default.
template <class Slot>
std::vector<std::string> components_of_kinds(const ComponentRegistry& registry,
                                             const std::string& slot,
                                             HeadKinds wanted) {
  std::vector<std::string> names;
  for (const ComponentInfo& component : registry.components()) {
    if (component.slot != slot) continue;
    try {
      if (registry.make<Slot>("policy." + slot, ConfigNode(component.name))->head_kinds() ==
          wanted) {
        names.push_back(component.name);
      }
    } catch (const Error&) {
      continue;  // it has no defaults, so nothing can be said of it
    }
  }
  return names;
}

/// The component of a slot as it is written, or the neutral one.
std::string name_in(const ConfigNode& policy, const std::string& slot, const std::string& neutral) {
  const ConfigNode* node = policy.child(slot);
  return node == nullptr || node->is_null() ? neutral : component_name("policy." + slot, *node);
}

/// "configs/policy/mine.yaml:4:8: policy.score": where a slot is, for messages.
std::string place_of(const ConfigNode& policy, const std::string& slot) {
  const ConfigNode* node = policy.child(slot);
  const std::string origin = node == nullptr ? "" : node->origin().text();
  return fmt::format("{}{}policy.{}", origin, origin.empty() ? "" : ": ", slot);
}

/// Throws where the score goes by heads that allocate does not tell apart.
void check_head_kinds(const ConfigNode& policy,
                      const PolicySlots& slots,
                      const ComponentRegistry& registry) {
  const HeadKinds needed = slots.score->head_kinds();
  const HeadKinds given = slots.allocate->head_kinds();
  if (fits(needed, given)) return;
  std::vector<std::string> expected;
  for (const auto& name : components_of_kinds<Allocate>(registry, "allocate", needed)) {
    expected.push_back("policy.allocate=" + name);
  }
  const auto scores = given == HeadKinds::kAlike
                          ? std::vector<std::string>{}
                          : components_of_kinds<Score>(registry, "score", given);
  for (const std::string& name : scores) expected.push_back("policy.score=" + name);
  if (scores.empty()) {
    expected.emplace_back("a score that treats all heads alike, such as policy.score=recency");
  }
  throw Error(ErrorKind::kConfig,
              fmt::format("{}: '{}' goes by {}, but policy.allocate '{}' has {}; expected {}",
                          place_of(policy, "score"), name_in(policy, "score", "recency"),
                          head_kinds_text(needed), name_in(policy, "allocate", "uniform"),
                          head_kinds_text(given), fmt::join(expected, ", or ")));
}

/// Throws where what is read counts on the newest tokens, and the score keeps others.
void check_read(const ConfigNode& policy, const PolicySlots& slots) {
  if (!slots.read->needs_newest() || slots.score->keeps_newest()) return;
  throw Error(ErrorKind::kConfig,
              fmt::format("{}: '{}' counts on the newest tokens, which policy.score '{}' does not "
                          "keep; expected policy.score=recency",
                          place_of(policy, "read"), name_in(policy, "read", "all"),
                          name_in(policy, "score", "recency")));
}

}  // namespace

std::vector<ComponentInfo> policy_components() {
  return ComponentRegistry().components();
}

std::unique_ptr<Policy> make_policy(const ConfigNode& policy, const ComponentRegistry& registry) {
  PolicySlots slots = fill_slots(policy, registry, nullptr);
  check_head_kinds(policy, slots, registry);
  check_read(policy, slots);
  const ConfigNode* name = policy.child("name");
  return std::make_unique<Policy>(name == nullptr ? "unnamed" : name->as_string(),
                                  std::move(slots));
}

std::vector<ChosenComponent> chosen_components(const ConfigNode& policy,
                                               const ComponentRegistry& registry) {
  std::vector<ChosenComponent> chosen;
  fill_slots(policy, registry, &chosen);
  return chosen;
}

std::vector<UnreadKey> unread_policy_keys(const ConfigNode& as_written,
                                          const ComponentRegistry& registry) {
  std::vector<UnreadKey> unread;
  if (!as_written.is_map()) return unread;
  ConfigNode policy = as_written;
  static_cast<void>(update_spelling(policy));  // whoever composed it has warned
  const auto add = [&](std::vector<UnreadKey> more) {
    std::move(more.begin(), more.end(), std::back_inserter(unread));
  };
  Options captions = Options::checking("policy", policy);
  read_captions(captions);
  add(captions.unread());
  const auto add_slot = [&]<class Slot>(std::type_identity<Slot>, const char* slot) {
    for (const auto& [where, node] : written_components(policy, slot, "")) {
      add(registry.unread<Slot>(where, node));
    }
  };
  add_slot(std::type_identity<Allocate>(), "allocate");
  add_slot(std::type_identity<Score>(), "score");
  add_slot(std::type_identity<Protect>(), "protect");
  add_slot(std::type_identity<Store>(), "store");
  add_slot(std::type_identity<Schedule>(), "schedule");
  add_slot(std::type_identity<Read>(), "read");
  return unread;
}

Plan make_plan(const CacheGeometry& geometry,
               const ConfigNode& policy,
               const Budget& budget,
               const ComponentRegistry& registry) {
  return make_policy(policy, registry)->plan(geometry, budget);
}

std::vector<std::string> policy_names(const std::filesystem::path& policy_folder) {
  std::vector<std::string> names;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(policy_folder, failure)) {
    const bool is_hidden = entry.path().filename().string().starts_with('.');
    if (!is_hidden && entry.path().extension() == ".yaml") {
      names.push_back(entry.path().stem().string());
    }
  }
  if (failure) {
    throw Error(ErrorKind::kInput, fmt::format("{}: cannot list the named policies: {}",
                                               policy_folder.string(), failure.message()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

ConfigNode named_policy(const std::filesystem::path& policy_folder, const std::string& name) {
  const auto names = policy_names(policy_folder);
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("policy={}: unknown policy. {}", name, suggestion(name, names)));
  }
  return load_yaml_file(policy_folder / (name + ".yaml"));
}

}  // namespace kvscope
