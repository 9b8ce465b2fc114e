#pragma once

#include <c10/core/Device.h>

#include <cstdint>

#include "core/checkpoint/tensor_map.h"
#include "core/models/infinity/config.h"
#include "experiments/training/training_loop.h"

namespace kvscope {

struct TokenizerTraining {
  TrainingSchedule schedule{.steps = 3000, .batch = 16};
  at::Device device = at::kCPU;
  infinity::VaeConfig vae;
  infinity::ImageGeometry image;
  int64_t warmup_steps = 50;
  double learning_rate = 2e-3;
  double commitment =
      0.25;  ///< weight of |features - quantised|^2, which keeps the encoder near the codes
  uint64_t seed = 1;
};

/// Trains the multi-scale bit autoencoder on shapes images (scenes of the training range): L1 +
/// L2 of the image through the quantiser with a straight-through gradient. Returns the averaged
/// weights, "encoder.*" and "decoder.*".
TensorMap train_tokenizer(const TokenizerTraining& training, const TrainingReport& report);

}  // namespace kvscope
