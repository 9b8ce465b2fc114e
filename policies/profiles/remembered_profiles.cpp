#include "policies/profiles/remembered_profiles.h"

#include "core/base/opened_files.h"
#include "policies/profiles/profile_file.h"

namespace kvscope {
namespace {

// Options of components lie below every interface that could hand this to them.
thread_local RememberedProfiles* remembered = nullptr;

}  // namespace

RememberedProfiles::RememberedProfiles() : outer_(remembered) {
  remembered = this;
}

RememberedProfiles::~RememberedProfiles() {
  remembered = outer_;
}

Profile RememberedProfiles::read(const std::filesystem::path& path, ProfileKind expected) {
  if (remembered == nullptr) return read_profile(path, expected);
  auto& profiles = remembered->profiles_;
  const std::pair key(path, expected);
  auto found = profiles.find(key);
  if (found == profiles.end()) {
    found = profiles.emplace(key, read_profile(path, expected)).first;
  }
  OpenedFiles::note(path);
  return found->second;
}

}  // namespace kvscope
