#include "policies/profiles/profile_option.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/config/path.h"
#include "policies/profiles/remembered_profiles.h"

namespace kvscope {

Profile profile_of_option(const ConfigNode& node, const std::string& where, ProfileKind kind) {
  try {
    return RememberedProfiles::read(path_of(node), kind);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", where, error.what()));
  }
}

std::vector<const ConfigNode*> map_entries(Options& options) {
  std::vector<const ConfigNode*> entries;
  const ConfigNode* maps =
      options.value({.key = "maps",
                     .accepts = "a list of profiles",
                     .help = "of known models, found by their shapes: what auto chooses from"});
  if (maps == nullptr || maps->is_null()) return entries;
  if (!maps->is_list()) return {maps};  // a list of one
  for (const ConfigNode& entry : maps->items()) entries.push_back(&entry);
  return entries;
}

}  // namespace kvscope
