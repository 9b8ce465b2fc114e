#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <string>

#include "analysis/shapes/scene.h"
#include "core/checkpoint/tensor_map.h"
#include "core/models/next_token/family.h"
#include "experiments/training/training_loop.h"

namespace kvscope {

struct NextTokenTraining {
  TrainingSchedule schedule{.steps = 10000, .batch = 16};
  at::Device device = at::kCPU;
  const next_token::NextTokenFamily& family;
  next_token::ModelDescription model;
  TensorMap start;              ///< published names, to begin from; empty begins at random
  std::string vocabulary_path;  ///< tokenizer.json of the captions
  int64_t warmup_steps = 100;
  double learning_rate = 2e-3;
  double condition_dropout = 0.1;  ///< share of prompts made unconditional, for guidance
  shapes::SkillShares skill_shares = shapes::kSkillShares;  ///< of the captions
  uint64_t seed = 1;
};

/// Trains the transformer of a family that reads text on the ids that a finished VQ tokenizer
/// (`vq_weights`, published names without prefix) gives shapes images: cross-entropy of every image
/// token behind its prompt. The codes' embeddings begin as the codebook where the family has them.
/// Returns averaged weights under the published names.
TensorMap train_next_token(const NextTokenTraining& training,
                           const TensorMap& vq_weights,
                           const TrainingReport& report);

}  // namespace kvscope
