#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/shapes/scene.h"
#include "core/config/options.h"

namespace kvscope {

/// One stage of a training: `train.autoencoder` and the like.
struct StageSettings {
  int64_t steps = 0;
  int64_t batch = 1;
  double learning_rate = 0.002;
};

/// The `train` group.
struct TrainSettings {
  std::string folder{};                     ///< states, curves and results
  std::optional<std::string> start_from{};  ///< folder of a finished model to go on from
  uint64_t seed = 1;
  int64_t save_every_steps = 250;
  StageSettings tokenizer{};  ///< of images: `autoencoder` of the infinity family
  StageSettings transformer{};
  double condition_dropout = 0.1;  ///< share of captions made unconditional, for guidance
  shapes::SkillShares skill_shares = shapes::kSkillShares;
  double flip_probability = 0.1;   ///< infinity: largest rate of flipped input bits
  int64_t short_scales = 6;        ///< infinity: scales of the cheap batches
  double full_share_first = 0.25;  ///< infinity: share of whole-schedule batches at the start ...
  double full_share_last = 0.5;    ///< ... and at the end
};

/// Names of the families that can be trained.
std::vector<std::string> trained_families();

/// Asks for every key that the training of a family reads. Throws Error(kConfig) with the nearest
/// name for a family that cannot be trained.
TrainSettings read_training(const std::string& family, Options& options);

/// The `train` group of a config. Throws Error(kConfig) for keys that nobody reads, values out of
/// range and skill shares that are all 0.
TrainSettings train_settings(const std::string& family, const ConfigNode& train);

}  // namespace kvscope
