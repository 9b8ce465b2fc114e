#include "experiments/training/training_state.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <filesystem>
#include <string>
#include <utility>

#include "core/checkpoint/safetensors.h"

namespace kvscope {

TensorMap trainable(const TensorMap& weights, at::Device device) {
  TensorMap leaves;
  for (const auto& [name, weight] : weights) {
    leaves.set(name, weight.detach().to(device, at::kFloat).clone().requires_grad_(true));
  }
  return leaves;
}

TrainingState::TrainingState(const TrainingSchedule& schedule,
                             TensorMap weights,
                             const AdamWOptions& options,
                             int64_t warmup_steps)
    : schedule_(schedule),
      weights_(std::move(weights)),
      optimiser_(weights_, options),
      warmup_steps_(warmup_steps) {}

TensorMap TrainingState::train(const std::function<at::Tensor(int64_t step)>& loss,
                               const TrainingReport& report) {
  run_training(
      schedule_, resume(), [&](int64_t step) { return learn(loss(step), step); },
      [&](int64_t next_step) { save(next_step); }, report);
  return optimiser_.averaged();
}

TrainingStep TrainingState::learn(const at::Tensor& loss, int64_t step) {
  constexpr double kLastRate = 0.02;
  loss.backward();
  const double rate = warmup_cosine(step, warmup_steps_, schedule_.steps, kLastRate);
  return {loss.item<double>(), optimiser_.step(rate)};
}

void TrainingState::save(int64_t next_step) const {
  TensorMap state;
  for (const auto& [name, weight] : weights_) state.set("weights." + name, weight.detach().cpu());
  optimiser_.save(state, "adamw.");
  state.set("step", at::scalar_tensor(next_step, at::kLong));
  write_safetensors(schedule_.state_path, state.entries(), {{"kind", "training_state"}});
}

int64_t TrainingState::resume() {
  const std::string& path = schedule_.state_path;
  if (path.empty() || !std::filesystem::exists(path)) return 0;
  const at::NoGradGuard no_grad;
  const TensorMap state = read_safetensors(path);
  for (const auto& [name, weight] : weights_) {
    at::Tensor leaf = weight;
    leaf.copy_(state.at("weights." + name, leaf.sizes()));
  }
  optimiser_.load(state, "adamw.");
  return state.at("step").item<int64_t>();
}

}  // namespace kvscope
