#pragma once

#include <cstdint>
#include <filesystem>

namespace kvscope {

struct AttentionPreferencesOptions {
  std::filesystem::path file{};  ///< attention.h5 of `kvscope attention record`
  std::filesystem::path out{};   ///< profile; empty: FILE-preferences.yaml
  double tau1 = 1;               ///< temperature of the entropy
  double tau2 = 1;               ///< temperature of the variance
  bool json = false;             ///< one JSON object instead of text
};

/// Prints CAKE's preference of every layer, entropy^(1/tau1) * variance^(1/tau2), and writes the
/// profile that `policy.allocate.preferences` of the cake policy takes. Returns the exit code.
/// Throws Error(kInput) for a missing or damaged record, or one without these measurements,
/// Error(kConfig) for a temperature that is not above 0.
int attention_preferences_command(const AttentionPreferencesOptions& options);

}  // namespace kvscope
