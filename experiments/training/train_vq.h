#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>

#include "core/checkpoint/tensor_map.h"
#include "core/models/vq/vq_config.h"
#include "experiments/training/training_loop.h"

namespace kvscope {

struct VqTraining {
  TrainingSchedule schedule{.steps = 6000, .batch = 16};
  at::Device device = at::kCPU;
  VqConfig vq;
  int64_t warmup_steps = 50;
  double learning_rate = 2e-3;
  double commitment = 0.25;  ///< weight of |features - codes|^2, keeps the encoder near the codes
  /// Codes used a tenth as often as the average one are put where features lie far from every
  /// code, during this share of the training.
  double restart_share = 0.6;
  uint64_t seed = 1;
};

/// Trains a VQ image tokenizer on shapes images (scenes of the training range): L1 + L2 of the
/// image through the quantiser with a straight-through gradient, the codebook pulled to the
/// features and the features to the codes (van den Oord et al. 2017, eq. 3). The codebook starts on
/// features of the first batch. Returns the averaged weights under their published names.
TensorMap train_vq(const VqTraining& training, const TrainingReport& report);

/// What a codebook is worth on images [N, 3, H, W] in [-1, 1], through the ids and back.
struct VqQuality {
  double decibels = 0;       ///< peak signal to noise, mean over the images, decoded ones clamped
  double used_fraction = 0;  ///< codes that occur in the images
};
VqQuality vq_quality(const VqConfig& vq, const TensorMap& weights, const at::Tensor& images);

}  // namespace kvscope
