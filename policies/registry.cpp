#include "policies/registry.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "core/base/error.h"
#include "core/config/yaml.h"
#include "policies/part.h"

namespace kvscope {

using allocate_slot = Allocate;
using score_slot = Score;
using protect_slot = Protect;
using store_slot = Store;
using schedule_slot = Schedule;

#define KVSCOPE_PART(slot, name, summary) MakePart<slot##_slot> make_##slot##_##name;
#include "policies/parts.def"
#undef KVSCOPE_PART

namespace {

struct Part {
  PartInfo info;
  std::variant<MakePart<Allocate>*,
               MakePart<Score>*,
               MakePart<Protect>*,
               MakePart<Store>*,
               MakePart<Schedule>*>
      make;
};

std::vector<Part> all_parts() {
  return {
#define KVSCOPE_PART(slot, name, summary) {{#slot, #name, summary}, make_##slot##_##name},
#include "policies/parts.def"
#undef KVSCOPE_PART
  };
}

template <class Slot>
std::unique_ptr<Slot> make_part(const std::string& where, const ConfigNode& node) {
  PartOptions options(where, node);
  std::vector<std::string> known;
  for (const Part& part : all_parts()) {
    const auto* make = std::get_if<MakePart<Slot>*>(&part.make);
    if (make == nullptr) {
      continue;
    }
    if (part.info.name == options.part()) {
      auto made = (*make)(options);
      options.finish();
      return made;
    }
    known.push_back(part.info.name);
  }
  throw Error(ErrorKind::kConfig, fmt::format("{}: unknown part '{}'. {}", options.place("name"),
                                              options.part(), suggestion(options.part(), known)));
}

template <class Slot>
std::unique_ptr<Slot> fill(const ConfigNode& policy,
                           const std::string& slot,
                           const std::string& neutral) {
  const ConfigNode* node = policy.child(slot);
  return make_part<Slot>("policy." + slot,
                         node == nullptr || node->is_null() ? ConfigNode(neutral) : *node);
}

std::vector<std::unique_ptr<Protect>> fill_protect(const ConfigNode& policy) {
  std::vector<std::unique_ptr<Protect>> parts;
  const ConfigNode* node = policy.child("protect");
  if (node == nullptr || node->is_null()) {
    return parts;
  }
  if (!node->is_list()) {
    parts.push_back(make_part<Protect>("policy.protect", *node));
    return parts;
  }
  for (std::size_t i = 0; i < node->size(); ++i) {
    parts.push_back(make_part<Protect>(fmt::format("policy.protect.{}", i), node->items()[i]));
  }
  return parts;
}

void check_keys(const ConfigNode& policy) {
  if (!policy.is_map()) {
    throw Error(ErrorKind::kConfig,
                "policy: expected the five slots, as in configs/policy/snapkv.yaml");
  }
  static constexpr const char* kKeys[] = {"name",    "summary", "allocate", "score",
                                          "protect", "store",   "schedule"};
  const std::vector<std::string> known(std::begin(kKeys), std::end(kKeys));
  for (const ConfigEntry& entry : policy.entries()) {
    if (std::find(known.begin(), known.end(), entry.name) == known.end()) {
      throw Error(ErrorKind::kConfig, fmt::format("policy.{}: unknown slot '{}'. {}", entry.name,
                                                  entry.name, suggestion(entry.name, known)));
    }
  }
}

}  // namespace

std::vector<PartInfo> policy_parts() {
  std::vector<PartInfo> infos;
  for (const Part& part : all_parts()) {
    infos.push_back(part.info);
  }
  return infos;
}

std::unique_ptr<Policy> make_policy(const ConfigNode& policy) {
  check_keys(policy);
  const ConfigNode* name = policy.child("name");
  PolicySlots slots{.allocate = fill<Allocate>(policy, "allocate", "uniform"),
                    .score = fill<Score>(policy, "score", "recency"),
                    .protect = fill_protect(policy),
                    .store = fill<Store>(policy, "store", "as_is"),
                    .schedule = fill<Schedule>(policy, "schedule", "each_scale")};
  return std::make_unique<Policy>(name == nullptr ? "unnamed" : name->as_string(),
                                  std::move(slots));
}

Plan make_plan(const CacheGeometry& geometry, const ConfigNode& policy, const Budget& budget) {
  return make_policy(policy)->plan(geometry, budget);
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
