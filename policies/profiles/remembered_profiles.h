#pragma once

#include <filesystem>
#include <map>
#include <utility>

#include "policies/profiles/profile.h"

namespace kvscope {

/// While it lives, this thread reads each profile once: hundreds of points of a sweep ask for the
/// same few, several times each, and parsing one takes a millisecond. What changes on the disk
/// meanwhile is not seen, so points that are planned together are planned on the same profiles. An
/// inner one takes over until it ends.
class RememberedProfiles {
 public:
  RememberedProfiles();
  ~RememberedProfiles();
  RememberedProfiles(const RememberedProfiles&) = delete;
  RememberedProfiles& operator=(const RememberedProfiles&) = delete;

  /// As read_profile(), which it is where nothing is remembered; says to OpenedFiles, too, that the
  /// file was used.
  static Profile read(const std::filesystem::path& path, ProfileKind expected);

 private:
  std::map<std::pair<std::filesystem::path, ProfileKind>, Profile> profiles_;
  RememberedProfiles* outer_ = nullptr;
};

}  // namespace kvscope
