#include "experiments/training/training_state.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <filesystem>

#include "core/checkpoint/safetensors.h"

namespace kvscope {

TensorMap trainable(const TensorMap& weights, at::Device device) {
  TensorMap leaves;
  for (const auto& [name, weight] : weights) {
    leaves.set(name, weight.detach().to(device, at::kFloat).clone().requires_grad_(true));
  }
  return leaves;
}

void save_training(const std::string& path,
                   const TensorMap& weights,
                   const AdamW& optimiser,
                   int64_t step) {
  TensorMap state;
  for (const auto& [name, weight] : weights) state.set("weights." + name, weight.detach().cpu());
  optimiser.save(state, "adamw.");
  state.set("step", at::scalar_tensor(step, at::kLong));
  write_safetensors(path, state.entries(), {{"kind", "training_state"}});
}

int64_t load_training(const std::string& path, const TensorMap& weights, AdamW& optimiser) {
  if (path.empty() || !std::filesystem::exists(path)) return 0;
  const at::NoGradGuard no_grad;
  const TensorMap state = read_safetensors(path);
  for (const auto& [name, weight] : weights) {
    at::Tensor leaf = weight;
    leaf.copy_(state.at("weights." + name, leaf.sizes()));
  }
  optimiser.load(state, "adamw.");
  return state.at("step").item<int64_t>();
}

}  // namespace kvscope
