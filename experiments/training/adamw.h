#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"

namespace kvscope {

struct AdamWOptions {
  double learning_rate = 1e-3;  ///< peak; the schedule multiplies it
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.02;  ///< matrices only; biases, norms and scales are not decayed
  double max_gradient_norm = 1.0;
  double ema_decay = 0.999;
};

/// AdamW (Loshchilov and Hutter 2019) with gradient clipping and an exponential moving average
/// (EMA) of the weights. Owns the moments; the weights stay the caller's leaves, updated in place.
class AdamW {
 public:
  /// `weights`: leaf tensors; those that do not require gradients are left alone.
  AdamW(const TensorMap& weights, AdamWOptions options);

  /// One update from the leaves' gradients, which are then cleared. `rate_factor` scales the
  /// learning rate. Returns the gradient norm before clipping; a norm that is not finite skips the
  /// update.
  double step(double rate_factor);

  [[nodiscard]] int64_t updates() const { return updates_; }
  /// The averaged weights, bias-corrected for the first updates.
  [[nodiscard]] TensorMap averaged() const;
  /// Moments, averages and the counter, named below `prefix`, for a checkpoint that resumes
  /// exactly.
  void save(TensorMap& state, const std::string& prefix) const;
  /// Throws Error(kInput) where `state` does not hold what save() wrote for these weights.
  void load(const TensorMap& state, const std::string& prefix);

 private:
  AdamWOptions options_;
  std::vector<std::string> names_;
  std::vector<at::Tensor> weights_, first_, second_, averages_;
  std::vector<int64_t> decayed_, plain_;  // positions by kind
  int64_t updates_ = 0;
};

/// Linear warm-up, then a half cosine from 1 to `floor` at `total`.
double warmup_cosine(int64_t step, int64_t warmup, int64_t total, double floor);

}  // namespace kvscope
