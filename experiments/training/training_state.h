#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <functional>

#include "core/checkpoint/tensor_map.h"
#include "experiments/training/adamw.h"
#include "experiments/training/training_loop.h"

namespace kvscope {

/// Makes leaves of float copies of `weights` on `device`.
TensorMap trainable(const TensorMap& weights, at::Device device);

/// Weights in training and their optimiser, kept in the schedule's state file.
class TrainingState {
 public:
  /// `weights` are leaves, or tensors that the training itself updates and that are only kept.
  /// `schedule` must outlive the state.
  TrainingState(const TrainingSchedule& schedule,
                TensorMap weights,
                const AdamWOptions& options,
                int64_t warmup_steps);

  /// Updated in place.
  [[nodiscard]] const TensorMap& weights() const { return weights_; }

  /// Goes on from where the state file left off, with the loss of every step and a learning rate
  /// that falls to 2 % of its peak (see warmup_cosine). Returns the averaged weights, also where a
  /// stop was asked for.
  TensorMap train(const std::function<at::Tensor(int64_t step)>& loss,
                  const TrainingReport& report);

 private:
  [[nodiscard]] int64_t resume();      // the step to go on with
  void save(int64_t next_step) const;  // whole or not at all
  TrainingStep learn(const at::Tensor& loss, int64_t step);

  const TrainingSchedule& schedule_;
  TensorMap weights_;
  AdamW optimiser_;
  int64_t warmup_steps_;
};

}  // namespace kvscope
