#include <ATen/ATen.h>
#include <fmt/format.h>

#include "analysis/networks/image_input.h"
#include "analysis/networks/lpips.h"
#include "core/device/inference_guard.h"
#include "experiments/verify/metrics/formula_weights.h"
#include "experiments/verify/metrics/metric_groups.h"

namespace kvscope::verify {
namespace {

struct Recorded {
  LpipsNetwork network;
  const char* name;          // "lpips.NAME_f64"
  const char* convolutions;  // what their full names begin with
};

constexpr Recorded kNetworks[] = {{LpipsNetwork::kAlexNet, "alex", "alexnet."},
                                  {LpipsNetwork::kVgg16, "vgg", "vgg16."}};

Lpips network_of(const Recorded& recorded) {
  const auto full_name = [&](const std::string& name) {
    return name.starts_with("lin") ? fmt::format("lpips.{}.{}", recorded.name, name)
                                   : recorded.convolutions + name;
  };
  return {recorded.network, formula_weights(lpips_tensors(recorded.network), full_name),
          "weights of the formula"};
}

}  // namespace

std::vector<GroupResult> check_perceptual(GoldenFile& file,
                                          const std::vector<RecordedPair>& pairs) {
  const InferenceGuard guard;
  std::vector<GroupResult> results;
  for (const Recorded& recorded_network : kNetworks) {
    const Lpips network = network_of(recorded_network);
    for (const auto& [dtype, type, share] :
         {std::tuple{at::kDouble, "f64", 1e-9}, std::tuple{at::kFloat, "f32", 2e-6}}) {
      const std::string group = fmt::format("lpips.{}_{}", recorded_network.name, type);
      const std::string layers = fmt::format("lpips.{}_layers_{}", recorded_network.name, type);
      if (!file.has(group) || !file.has(layers) || pairs.empty()) {
        results.push_back(not_in_file(group, "the recorded distances"));
        continue;
      }
      const Lpips typed = network.to(file.device(), dtype);
      const auto pixels = [&, type_of = dtype](const Image& image) {
        return (image_tensor(image, type_of) / 127.5 - 1).to(file.device());
      };
      GroupCheck check(group, 1e-12, share);
      const at::Tensor sums = recorded(file, group);
      const at::Tensor terms = recorded(file, layers);
      for (const RecordedPair& pair : pairs) {
        const at::Tensor computed = typed.layers(pixels(pair.a), pixels(pair.b))[0];
        check.compare(computed, terms[pair.place],
                      fmt::format("{} of pair {}", layers, pair.place));
        check.compare(computed.sum(), sums[pair.place],
                      fmt::format("{} of pair {}", group, pair.place));
      }
      results.push_back(check.result("weights by formula"));
    }
  }
  return results;
}

}  // namespace kvscope::verify
