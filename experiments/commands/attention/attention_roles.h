#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace kvscope {

struct AttentionRolesOptions {
  std::filesystem::path file{};  ///< attention.h5 of `kvscope attention record`
  int64_t drafters = -1;         ///< N_d, (layer, scale) pairs; negative: default_drafters()
  /// Image tokens per line of a next-token model, which counts as a scale; 0: of a square image.
  int64_t line_tokens = 0;
  std::string by = "selectivity";  ///< or one of the index's factors: current | history
  bool allow_none = false;         ///< scales without a drafter are meant
  bool json = false;               ///< one JSON object instead of text
};

/// Prints drafters and refiners by Attention Selectivity Index, or one of its factors, draws the
/// layer x scale map FILE-roles.{svg,png} beside the file and writes FILE-roles.yaml, the profile
/// that ScaleKV's policy.allocate.roles reads; of a factor, FILE-roles-by-FACTOR. Returns the exit
/// code. Throws Error(kInput) for a missing or damaged file, Error(kConfig) for more drafters than
/// pairs, and for so few that a scale has none.
int attention_roles_command(const AttentionRolesOptions& options);

}  // namespace kvscope
