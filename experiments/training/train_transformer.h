#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <string>

#include "analysis/shapes/scene.h"
#include "core/checkpoint/tensor_map.h"
#include "core/models/infinity/config.h"
#include "core/text/captions/t5_encoder.h"
#include "experiments/training/training_loop.h"

namespace kvscope {

struct TransformerTraining {
  TrainingSchedule schedule{.steps = 10000, .batch = 24};
  at::Device device = at::kCPU;
  infinity::TransformerConfig transformer;
  infinity::VaeConfig vae;
  infinity::ImageGeometry image;
  T5Config text;
  TensorMap start;              ///< "model.*" and "t5.*" to begin from; empty begins at random
  std::string vocabulary_path;  ///< SentencePiece model of the captions
  int64_t warmup_steps = 100;
  double learning_rate = 1.5e-3;
  double condition_dropout = 0.1;  ///< share of captions replaced by cfg_uncond, for guidance
  double flip_probability = 0.1;   ///< largest bit flip rate; each image draws its own below it
  /// Scales of the cheap batches, and the share of batches that see the whole schedule, at the
  /// start and at the end of training (linear between). Early scales carry the layout and cost
  /// little.
  int64_t short_scales = 7;
  double full_share_first = 0.1;
  double full_share_last = 0.5;
  shapes::SkillShares skill_shares = shapes::kSkillShares;  ///< of the captions
  uint64_t seed = 1;
};

/// Trains text encoder and transformer together on the bits of a finished autoencoder
/// (`vae_weights`): cross-entropy of every bit, weighted by how far its feature lay from the
/// threshold (a bit near it changes nothing), averaged within a scale, then over scales; random bit
/// flips in the inputs (bitwise self-correction). Returns averaged weights, "model.*" and "t5.*".
TensorMap train_transformer(const TransformerTraining& training,
                            const TensorMap& vae_weights,
                            const TrainingReport& report);

}  // namespace kvscope
