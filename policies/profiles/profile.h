#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/engine/plan.h"

namespace kvscope {

/// What a profile says of a model, measured once.
enum class ProfileKind : uint8_t {
  kHeads,   ///< a number for every head of every layer
  kLayers,  ///< a number for every layer
  kRoles,   ///< which layers are drafters at every scale
};

/// "heads", "layers", "roles"
std::string profile_kind_name(ProfileKind kind);

/// The model that was measured, as far as attention knows it.
struct ProfileShape {
  int64_t layers = 1;
  int64_t heads = 1;
  int64_t head_dim = 0;  ///< 0: not known; then it is not compared
  int64_t steps = 0;     ///< 0: not known
  bool next_token = true;

  static ProfileShape of(const CacheGeometry& geometry);
  /// Whether the geometry is this model's, or this model's run with fewer layers; steps may differ.
  [[nodiscard]] bool fits(const CacheGeometry& geometry) const;
  /// "6 layers x 6 heads of 32 channels, next_scale"
  [[nodiscard]] std::string text() const;
  bool operator==(const ProfileShape&) const = default;
};

/// What was measured, and with which numbers.
struct ProfileMetric {
  std::string name{};  ///< "sparsity"
  std::map<std::string, double> parameters{};
  bool operator==(const ProfileMetric&) const = default;
};

/// What it was measured on.
struct ProfileSource {
  int64_t prompts = 0;
  std::string prompts_sha256{};  ///< of their texts, a line each; empty: not known
  std::string record{};          ///< file name of the attention record; empty: there is none
  std::string record_sha256{};   ///< of that file; empty: not known
  std::string point{};           ///< hash of the recorded config; may be empty
  std::string note{};            ///< for the reader
  bool operator==(const ProfileSource&) const = default;
};

/// Roles of the layers while the steps first_step..last_step run: one scale of a next-scale model,
/// one line of a next-token model.
struct RolesOfScale {
  int64_t first_step = 0;
  int64_t last_step = 0;
  std::string grid{};                 ///< "16x16", for the reader
  std::vector<int64_t> drafters{};    ///< layers, ascending; the others are refiners
  std::vector<double> selectivity{};  ///< [layers] Attention Selectivity Index
  std::vector<double> z_score{};      ///< [layers] within the scale
};

/// What a policy must know of a model: `kvscope attention heads|preferences|roles` measures it,
/// docs/profiles.md describes the file.
struct Profile {
  ProfileKind kind = ProfileKind::kHeads;
  std::string model{};
  ProfileShape shape{};
  ProfileMetric metric{};
  ProfileSource source{};
  /// [layers][heads] of kHeads, [layers][1] of kLayers.
  std::vector<std::vector<double>> values{};
  std::vector<RolesOfScale> scales{};  ///< kRoles: those with a history, ascending
  std::string place{};                 ///< "mine.yaml:5:8", where a file read says the shape
};

/// Drafters of all scales: (layer, scale) pairs, N_d.
int64_t drafter_pairs(const Profile& roles);

/// Throws Error(kConfig) naming file and line where the profile is of another model: see
/// ProfileShape::fits(). Roles also need the same layers and steps.
void check_profile(const Profile& profile, const CacheGeometry& geometry);

}  // namespace kvscope
