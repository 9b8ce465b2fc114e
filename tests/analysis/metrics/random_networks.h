#pragma once

#include <ATen/ATen.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/metrics/metric_inputs.h"
#include "analysis/networks/inception.h"
#include "analysis/networks/lpips.h"
#include "core/checkpoint/safetensors.h"
#include "core/checkpoint/weight_spec.h"
#include "test_paths.h"

namespace kvscope {

/// Weights of these shapes: convolutions that keep the size of what passes through, norms near 1,
/// all else positive and small.
inline std::vector<TensorMap::Entry> random_weights(const std::vector<WeightSpec>& specs) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  std::vector<TensorMap::Entry> tensors;
  for (const WeightSpec& spec : specs) {
    if (spec.buffer) continue;
    at::Tensor tensor = at::empty(spec.shape, at::kFloat);
    const bool is_convolution = spec.shape.size() == 4 && spec.shape[0] > 1;
    if (is_convolution) {
      const int64_t inputs = tensor.numel() / spec.shape[0];
      const double reach = std::sqrt(6 / static_cast<double>(inputs));
      tensor.uniform_(-reach, reach, generator);
    } else if (spec.name.ends_with(".bn.weight") || spec.name.ends_with(".running_var")) {
      tensor.uniform_(0.75, 1.25, generator);
    } else {
      tensor.uniform_(0, 0.1, generator);
    }
    tensors.emplace_back(spec.name, tensor);
  }
  return tensors;
}

/// Files of random networks, written by the first call of this process, as inputs of every metric.
/// CLIPs are the recorded ones of tests/golden.
inline MetricInputs random_metric_inputs() {
  namespace fs = std::filesystem;
  static const fs::path folder = [] {
    fs::path made = fs::path(testing::TempDir()) / ("kvscope_networks_" + std::to_string(getpid()));
    fs::create_directories(made);
    const fs::path golden = fs::path(kSourceDir) / "tests/golden";
    write_safetensors(made / "alex.safetensors",
                      random_weights(lpips_tensors(LpipsNetwork::kAlexNet)));
    write_safetensors(made / "vgg.safetensors",
                      random_weights(lpips_tensors(LpipsNetwork::kVgg16)));
    write_safetensors(made / "inception.safetensors", random_weights(inception_tensors()));
    const TensorMap clips = read_safetensors(golden / "clip_tiny.safetensors");
    for (const char* name : {"openai", "open_clip"}) {
      write_safetensors(made / (std::string(name) + ".safetensors"),
                        clips.below(std::string(name) + ".").entries());
    }
    return made;
  }();
  MetricInputs inputs;
  inputs.set("weights.lpips_alex", (folder / "alex.safetensors").string());
  inputs.set("weights.lpips_vgg", (folder / "vgg.safetensors").string());
  inputs.set("weights.inception", (folder / "inception.safetensors").string());
  inputs.set("weights.clip", (folder / "openai.safetensors").string());
  inputs.set("weights.hps_v2", (folder / "open_clip.safetensors").string());
  inputs.set("weights.clip_vocabulary", std::string(kSourceDir) + "/tests/golden/clip_bpe");
  return inputs;
}

}  // namespace kvscope
