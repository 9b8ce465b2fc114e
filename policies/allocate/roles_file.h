#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace kvscope {

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

/// What `kvscope attention roles` finds in a record and ScaleKV's `roles: {file: ...}` reads, a
/// YAML file:
///   schema: kvscope.roles/1
///   model: shapes_next_scale        point: hash of the config whose attention was recorded
///   record: attention.h5            images: 10   top_keys: 16   sampled_queries: 64
///   layers: 4    heads: 4    steps: 9    drafters: 2
///   scales:
///     - {first_step: 1, last_step: 1, grid: 2x2, drafters: [0], asi: [...], z: [...]}
struct RolesFile {
  std::string model{};
  std::string point{};
  std::string record{};  ///< file name of the attention record
  int64_t images = 0;
  int64_t top_keys = 0;         ///< K'
  int64_t sampled_queries = 0;  ///< a step; 0: all
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t steps = 0;
  int64_t drafters = 0;                ///< N_d, (layer, scale) pairs
  std::vector<RolesOfScale> scales{};  ///< those with a history, ascending
};

/// Whole or not at all. Throws Error(kEnvironment).
void write_roles(const std::filesystem::path& path, const RolesFile& roles);

/// Throws Error(kInput) where the file cannot be read or is something else, Error(kConfig) naming
/// line and key where it contradicts itself.
RolesFile read_roles(const std::filesystem::path& path);

}  // namespace kvscope
