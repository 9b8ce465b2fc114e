#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/checkpoint/tensor_map.h"
#include "core/models/infinity/config.h"

namespace kvscope {

/// One line of a training's progress.
struct TrainingProgress {
  int64_t step = 0;
  double loss = 0;  ///< mean since the last line
  double pictures_per_second = 0;
  double gradient_norm = 0;
};

struct TokenizerTraining {
  infinity::VaeConfig vae;
  infinity::PictureGeometry picture;
  int64_t steps = 3000;
  int64_t batch = 16;
  int64_t warmup_steps = 50;
  double learning_rate = 2e-3;
  double commitment =
      0.25;  ///< weight of |features - quantised|^2, which keeps the encoder near the codes
  uint64_t seed = 1;
  int64_t save_every_steps = 500;
  std::string state_path;  ///< resumes from it when it exists; written every save_every_steps
};

/// Trains the multi-scale bit autoencoder on shapes pictures (scenes of the training range): L1 +
/// L2 of the picture through the quantiser with a straight-through gradient. Returns the averaged
/// weights, "encoder.*" and "decoder.*". `report` is called every 50 steps and may stop the
/// training by returning false (state is saved first).
TensorMap train_tokenizer(const TokenizerTraining& training,
                          const std::function<bool(const TrainingProgress&)>& report);

}  // namespace kvscope
