#pragma once

#include <cstdint>
#include <filesystem>

namespace kvscope {

struct AttentionRolesOptions {
  std::filesystem::path file{};  ///< attention.h5 of `kvscope attention record`
  int64_t drafters = -1;         ///< N_d, (layer, scale) pairs; negative: as recorded
};

/// Prints drafters and refiners by Attention Selectivity Index and draws the layer x scale map
/// FILE-roles.{svg,png} beside the file. Returns the exit code. Throws Error(kInput) for a missing
/// or damaged file, Error(kConfig) for more drafters than pairs.
int attention_roles_command(const AttentionRolesOptions& options);

}  // namespace kvscope
