#include "experiments/sweep/point.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/console.h"
#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/hash.h"
#include "experiments/sweep/config_value.h"
#include "experiments/sweep/digests.h"
#include "experiments/sweep/number_spelling.h"
#include "experiments/sweep/prompt_files.h"
#include "experiments/sweep/run_keys.h"

namespace kvscope {

std::string Point::former_hash(const ConfigNode& asking) const {
  ConfigNode before = config;
  take_spelling(before, asking);
  for (const std::string& key : formerly_hashed_keys()) {
    set_config_value(before, key, asking.find(key));
  }
  try {
    const std::string of_prompts = prompts_digest(prompts_of(before, *prompt_files));
    std::vector<std::pair<std::string, std::string>> all = digests;
    all.emplace_back("prompts", of_prompts);
    return point_digest(before, keys_outside_former_hash(before), all);
  } catch (const Error&) {
    return "";
  }
}

std::string Point::setting_hash_spelt_as(const ConfigNode& other) const {
  ConfigNode spelt = config;
  take_spelling(spelt, other);
  std::vector<std::string> outside = keys_outside_hash(spelt);
  for (const char* key : {"prompts", "prompt"}) outside.emplace_back(key);
  return point_digest(spelt, outside, digests);
}

void say_notes(const PointList& list) {
  for (const std::string& note : list.notes) say("note: {}", note);
}

}  // namespace kvscope
