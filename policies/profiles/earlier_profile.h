#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "policies/profiles/profile.h"

namespace kvscope {

/// A file of one of the three formats before profiles: a table of heads (a line per layer), one of
/// layers (a number per line), or `schema: kvscope.roles/1`.
struct EarlierProfile {
  Profile profile{};     ///< what the file says; its shape is not complete
  bool is_table = true;  ///< false: roles
};

/// The file at `path` as an earlier format; nullopt where it is none. Tables of one column are of
/// layers. Throws Error(kInput) where it cannot be read, Error(kConfig) naming line and key for
/// roles that contradict themselves.
std::optional<EarlierProfile> read_earlier_profile(const std::filesystem::path& path);

/// Throws Error(kInput) for such a file: the message is the command that converts it.
void refuse_earlier_profile(const std::filesystem::path& path);

}  // namespace kvscope
