#include "policies/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/config/yaml.h"
#include "policies/old_spellings.h"
#include "policies/part.h"

namespace kvscope {

using allocate_slot = Allocate;
using score_slot = Score;
using protect_slot = Protect;
using store_slot = Store;
using schedule_slot = Schedule;
using read_slot = Read;

#define KVSCOPE_PART(slot, name, summary) MakePart<slot##_slot> make_##slot##_##name;
#include "policies/parts.def"
#undef KVSCOPE_PART

template <class Slot>
void PartRegistry::add_part(const char* slot, const PartInfo& info, MakePart<Slot>* maker) {
  for (const Part& part : parts_) {
    if (!std::holds_alternative<MakePart<Slot>*>(part.make) || part.info.name != info.name) {
      continue;
    }
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: the {} part '{}' exists already{}; give yours another name",
                            library_.empty() ? "parts" : library_, slot, info.name,
                            part.info.library.empty() ? "" : " (" + part.info.library + ")"));
  }
  parts_.push_back({.info = info, .make = maker});
  parts_.back().info.slot = slot;
  parts_.back().info.library = library_;
}

void PartRegistry::add(const PartInfo& info, MakePart<Allocate>* maker) {
  add_part("allocate", info, maker);
}
void PartRegistry::add(const PartInfo& info, MakePart<Score>* maker) {
  add_part("score", info, maker);
}
void PartRegistry::add(const PartInfo& info, MakePart<Protect>* maker) {
  add_part("protect", info, maker);
}
void PartRegistry::add(const PartInfo& info, MakePart<Store>* maker) {
  add_part("store", info, maker);
}
void PartRegistry::add(const PartInfo& info, MakePart<Schedule>* maker) {
  add_part("schedule", info, maker);
}
void PartRegistry::add(const PartInfo& info, MakePart<Read>* maker) {
  add_part("read", info, maker);
}

PartRegistry::PartRegistry() {
#define KVSCOPE_PART(slot, name, summary) add({#slot, #name, summary, {}}, make_##slot##_##name);
#include "policies/parts.def"
#undef KVSCOPE_PART
}

std::vector<PartInfo> PartRegistry::parts() const {
  std::vector<PartInfo> infos;
  for (const Part& part : parts_) infos.push_back(part.info);
  return infos;
}

template <class Slot>
std::unique_ptr<Slot> PartRegistry::make(const std::string& where,
                                         const ConfigNode& node,
                                         PartKnobs* knobs) const {
  const std::string name = part_name(where, node);
  std::vector<std::string> known;
  for (const Part& part : parts_) {
    const auto* make = std::get_if<MakePart<Slot>*>(&part.make);
    if (make == nullptr) continue;
    if (part.info.name == name) {
      Options options = part_options(where, node);
      auto made = (*make)(options);
      options.finish();
      if (knobs != nullptr) *knobs = {part.info, where, options.asked()};
      return made;
    }
    known.push_back(part.info.name);
  }
  const ConfigNode* written = node.is_map() ? node.child("name") : &node;
  const std::string origin = written->origin().text();
  throw Error(ErrorKind::kConfig,
              fmt::format("{}{}{}: unknown part '{}'. {}", origin, origin.empty() ? "" : ": ",
                          where, name, suggestion(name, known)));
}

namespace {

/// A slot's parts as they are written, each with its place.
std::vector<std::pair<std::string, ConfigNode>> written_parts(const ConfigNode& policy,
                                                              const std::string& slot,
                                                              const std::string& neutral) {
  const ConfigNode* node = policy.child(slot);
  const std::string where = "policy." + slot;
  if (node == nullptr || node->is_null()) return {{where, ConfigNode(neutral)}};
  if (slot != "protect" || !node->is_list()) return {{where, *node}};
  std::vector<std::pair<std::string, ConfigNode>> parts;
  for (std::size_t i = 0; i < node->size(); ++i) {
    parts.emplace_back(fmt::format("{}.{}", where, i), node->items()[i]);
  }
  return parts;
}

/// Makes the parts of one slot; `knobs` receives what they ask for.
template <class Slot>
std::vector<std::unique_ptr<Slot>> fill(const ConfigNode& policy,
                                        const std::string& slot,
                                        const std::string& neutral,
                                        const PartRegistry& registry,
                                        std::vector<PartKnobs>* knobs) {
  std::vector<std::unique_ptr<Slot>> made;
  for (const auto& [where, node] : written_parts(policy, slot, neutral)) {
    PartKnobs of_part;
    made.push_back(registry.make<Slot>(where, node, knobs == nullptr ? nullptr : &of_part));
    if (knobs != nullptr) knobs->push_back(std::move(of_part));
  }
  return made;
}

void check_keys(const ConfigNode& policy) {
  if (!policy.is_map()) {
    throw Error(ErrorKind::kConfig,
                "policy: expected the six slots, as in configs/policy/snapkv.yaml");
  }
  static constexpr const char* kKeys[] = {"name",    "summary", "source",   "allocate", "score",
                                          "protect", "store",   "schedule", "read"};
  const std::vector<std::string> known(std::begin(kKeys), std::end(kKeys));
  for (const ConfigEntry& entry : policy.entries()) {
    if (std::find(known.begin(), known.end(), entry.name) == known.end()) {
      throw Error(ErrorKind::kConfig, fmt::format("policy.{}: unknown slot '{}'. {}", entry.name,
                                                  entry.name, suggestion(entry.name, known)));
    }
  }
}

PolicySlots fill_slots(const ConfigNode& as_written,
                       const PartRegistry& registry,
                       std::vector<PartKnobs>* knobs) {
  check_keys(as_written);
  ConfigNode policy = as_written;
  static_cast<void>(update_spelling(policy));  // whoever composed it has warned
  PolicySlots slots;
  slots.allocate =
      std::move(fill<Allocate>(policy, "allocate", "uniform", registry, knobs).front());
  slots.score = std::move(fill<Score>(policy, "score", "recency", registry, knobs).front());
  slots.protect = fill<Protect>(policy, "protect", "none", registry, knobs);
  slots.store = std::move(fill<Store>(policy, "store", "as_is", registry, knobs).front());
  slots.schedule =
      std::move(fill<Schedule>(policy, "schedule", "each_scale", registry, knobs).front());
  slots.read = std::move(fill<Read>(policy, "read", "all", registry, knobs).front());
  return slots;
}

/// Names of the slot's parts that answer `wanted` to their head_kinds(), as they are by default.
template <class Slot>
std::vector<std::string> parts_of_kinds(const PartRegistry& registry,
                                        const std::string& slot,
                                        HeadKinds wanted) {
  std::vector<std::string> names;
  for (const PartInfo& part : registry.parts()) {
    if (part.slot != slot) continue;
    try {
      if (registry.make<Slot>("policy." + slot, ConfigNode(part.name))->head_kinds() == wanted) {
        names.push_back(part.name);
      }
    } catch (const Error&) {
      continue;  // it has no defaults, so nothing can be said of it
    }
  }
  return names;
}

/// Throws where the score goes by heads that allocate does not tell apart.
void check_head_kinds(const ConfigNode& policy,
                      const PolicySlots& slots,
                      const PartRegistry& registry) {
  const HeadKinds needed = slots.score->head_kinds();
  const HeadKinds given = slots.allocate->head_kinds();
  if (fits(needed, given)) return;
  const auto name_in = [&](const char* slot, const std::string& neutral) {
    const ConfigNode* node = policy.child(slot);
    return node == nullptr || node->is_null() ? neutral
                                              : part_name("policy." + std::string(slot), *node);
  };
  const auto givers = parts_of_kinds<Allocate>(registry, "allocate", needed);
  std::vector<std::string> expected;
  for (const std::string& giver : givers) expected.push_back("policy.allocate=" + giver);
  for (const std::string& score : parts_of_kinds<Score>(registry, "score", given)) {
    if (given != HeadKinds::kAlike) expected.push_back("policy.score=" + score);
  }
  if (expected.empty() || given == HeadKinds::kAlike) {
    expected.emplace_back("a score that treats all heads alike, such as policy.score=recency");
  }
  const ConfigNode* score = policy.child("score");
  const std::string origin = score == nullptr ? "" : score->origin().text();
  throw Error(ErrorKind::kConfig,
              fmt::format("{}{}policy.score: '{}' goes by {}, but policy.allocate '{}' has {}; "
                          "expected {}",
                          origin, origin.empty() ? "" : ": ", name_in("score", "recency"),
                          head_kinds_text(needed), name_in("allocate", "uniform"),
                          head_kinds_text(given), fmt::join(expected, ", or ")));
}

}  // namespace

std::vector<PartInfo> policy_parts() {
  return PartRegistry().parts();
}

std::unique_ptr<Policy> make_policy(const ConfigNode& policy, const PartRegistry& registry) {
  PolicySlots slots = fill_slots(policy, registry, nullptr);
  check_head_kinds(policy, slots, registry);
  const ConfigNode* name = policy.child("name");
  return std::make_unique<Policy>(name == nullptr ? "unnamed" : name->as_string(),
                                  std::move(slots));
}

std::vector<PartKnobs> policy_knobs(const ConfigNode& policy, const PartRegistry& registry) {
  std::vector<PartKnobs> knobs;
  fill_slots(policy, registry, &knobs);
  return knobs;
}

Plan make_plan(const CacheGeometry& geometry,
               const ConfigNode& policy,
               const Budget& budget,
               const PartRegistry& registry) {
  return make_policy(policy, registry)->plan(geometry, budget);
}

std::vector<std::string> policy_names(const std::filesystem::path& policy_folder) {
  std::vector<std::string> names;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(policy_folder, failure)) {
    if (entry.path().extension() == ".yaml") {
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
