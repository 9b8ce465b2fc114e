#pragma once

#include <filesystem>

#include "policies/profiles/profile.h"

namespace kvscope {

// A profile is a YAML file:
//   schema: kvscope.profile/1
//   kind: heads                     # layers, roles
//   model: 'shapes_next_scale'
//   shape: {layers: 6, heads: 6, head_dim: 32, steps: 9, generates: next_scale}
//   metric: {name: variance, queries: 64}
//   prompts: {count: 100, sha256: '...'}
//   record: {file: 'attention.h5', sha256: '...', point: '...'}
//   note: ''
//   values:                         # heads, layers: a list a layer
//     - [0.0243, 0.0127, ...]
//   scales:                         # roles: an entry a scale that has a history
//     - {first_step: 1, last_step: 1, grid: '2x2', drafters: [4], asi: [...], z: [...]}

/// Whole or not at all. Throws Error(kEnvironment).
void write_profile(const std::filesystem::path& path, const Profile& profile);

/// Throws Error(kInput) where the file cannot be read or is something else; for a file of the
/// formats before this one the message is the command that converts it. Error(kConfig) naming line
/// and key where the file is of another kind or contradicts itself.
Profile read_profile(const std::filesystem::path& path, ProfileKind expected);

}  // namespace kvscope
