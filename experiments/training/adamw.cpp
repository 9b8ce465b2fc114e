#include "experiments/training/adamw.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <numbers>

#include "core/base/error.h"

namespace kvscope {
namespace {

std::vector<at::Tensor> pick(const std::vector<at::Tensor>& from,
                             const std::vector<int64_t>& which) {
  std::vector<at::Tensor> picked;
  for (const int64_t i : which) picked.push_back(from[static_cast<size_t>(i)]);
  return picked;
}

}  // namespace

AdamW::AdamW(const TensorMap& weights, AdamWOptions options) : options_(options) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, weight] : weights) {
    if (!weight.requires_grad()) continue;
    const auto position = static_cast<int64_t>(weights_.size());
    (weight.dim() >= 2 && name.ends_with("weight") ? decayed_ : plain_).push_back(position);
    names_.push_back(name);
    weights_.push_back(weight);
    first_.push_back(at::zeros_like(weight));
    second_.push_back(at::zeros_like(weight));
    averages_.push_back(weight.detach().clone());
  }
}

double AdamW::step(double rate_factor) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& weight : weights_) {
    gradients.push_back(weight.grad().defined() ? weight.grad() : at::zeros_like(weight));
  }
  const double norm = at::stack(at::_foreach_norm(gradients, 2)).norm().item<double>();
  if (std::isfinite(norm)) {
    if (norm > options_.max_gradient_norm) {
      at::_foreach_mul_(gradients, options_.max_gradient_norm / norm);
    }
    ++updates_;
    for (const bool decay : {true, false}) {
      const std::vector<int64_t>& which = decay ? decayed_ : plain_;
      if (which.empty()) continue;
      std::vector<at::Tensor> weights = pick(weights_, which);
      std::vector<at::Tensor> first = pick(first_, which);
      std::vector<at::Tensor> second = pick(second_, which);
      const std::vector<at::Tensor> steps(
          which.size(), at::scalar_tensor(static_cast<double>(updates_),
                                          weights.front().options().dtype(at::kFloat)));
      at::_fused_adamw_(weights, pick(gradients, which), first, second, {}, steps,
                        options_.learning_rate * rate_factor, options_.beta1, options_.beta2,
                        decay ? options_.weight_decay : 0.0, options_.epsilon, false, false);
    }
    // A young average follows the weights quickly, so that short runs are not held back by the
    // start.
    const double decay = std::min(options_.ema_decay, (1.0 + static_cast<double>(updates_)) /
                                                          (10.0 + static_cast<double>(updates_)));
    at::_foreach_lerp_(averages_, weights_, 1.0 - decay);
  }
  for (at::Tensor& weight : weights_) weight.mutable_grad() = at::Tensor();
  return norm;
}

TensorMap AdamW::averaged() const {
  TensorMap result;
  for (size_t i = 0; i < names_.size(); ++i) result.set(names_[i], averages_[i].cpu());
  return result;
}

void AdamW::save(TensorMap& state, const std::string& prefix) const {
  for (size_t i = 0; i < names_.size(); ++i) {
    state.set(prefix + "first." + names_[i], first_[i].cpu());
    state.set(prefix + "second." + names_[i], second_[i].cpu());
    state.set(prefix + "average." + names_[i], averages_[i].cpu());
  }
  state.set(prefix + "updates", at::scalar_tensor(updates_, at::kLong));
}

void AdamW::load(const TensorMap& state, const std::string& prefix) {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < names_.size(); ++i) {
    first_[i].copy_(state.at(prefix + "first." + names_[i], first_[i].sizes()));
    second_[i].copy_(state.at(prefix + "second." + names_[i], second_[i].sizes()));
    averages_[i].copy_(state.at(prefix + "average." + names_[i], averages_[i].sizes()));
  }
  updates_ = state.at(prefix + "updates").item<int64_t>();
}

double warmup_cosine(int64_t step, int64_t warmup, int64_t total, double floor) {
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
  if (step >= total) return floor;
  const double progress = static_cast<double>(step - warmup) /
                          static_cast<double>(std::max<int64_t>(1, total - warmup));
  return floor + (1 - floor) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

}  // namespace kvscope
