#include "analysis/metrics/lpips_metric.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "analysis/metrics/metric_inputs.h"
#include "analysis/metrics/same_size.h"
#include "analysis/networks/image_input.h"
#include "core/base/error.h"
#include "core/checkpoint/checkpoint.h"
#include "core/device/inference_guard.h"

namespace kvscope {
namespace {

constexpr const char* kHeads[] = {"weights.lpips_alex", "weights.lpips_vgg"};
constexpr const char* kConvolutions[] = {"weights.alexnet", "weights.vgg16"};

size_t index_of(LpipsNetwork network) {
  return network == LpipsNetwork::kAlexNet ? 0 : 1;
}

/// Heads, and the convolutions beside them in the same file or in one of their own.
Lpips opened(LpipsNetwork network, const MetricInputs& inputs) {
  const std::filesystem::path heads = inputs.file(kHeads[index_of(network)]);
  TensorMap tensors = read_checkpoint(heads);
  std::string files = heads.string();
  if (const auto convolutions = inputs.find(kConvolutions[index_of(network)])) {
    for (const auto& [name, tensor] : read_checkpoint(*convolutions)) tensors.set(name, tensor);
    files += " and " + *convolutions;
  }
  if (!tensors.contains("features.0.weight") && !tensors.contains("net.slice1.0.weight")) {
    throw Error(ErrorKind::kInput,
                fmt::format("{} has no convolutions: they are a file of their own, metrics.{}=PATH",
                            files, kConvolutions[index_of(network)]));
  }
  return Lpips(network, tensors, files).to(inputs.device(), at::kFloat);
}

double distance(const Lpips& network, const Image& a, const Image& b) {
  require_same_size(a, b, "lpips", 1);
  if (std::min(a.height, a.width) < network.smallest_side()) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const InferenceGuard guard;
  const auto pixels = [&](const Image& image) {
    return (image_tensor(image) / 127.5 - 1).to(network.device());
  };
  return network.layers(pixels(a), pixels(b)).to(at::kCPU, at::kDouble).sum().item<double>();
}

template <LpipsNetwork kNetwork>
MeasureImage made(const MetricInputs& inputs) {
  return [network = opened(kNetwork, inputs)](const MeasuredImage& pair) {
    return distance(network, *pair.reference, pair.image);
  };
}

std::vector<MetricInput> inputs_of(LpipsNetwork network) {
  const bool is_alex = network == LpipsNetwork::kAlexNet;
  const std::string own = is_alex ? "alex" : "vgg";
  const std::string torchvision = is_alex ? "alexnet-owt-7be5be79.pth" : "vgg16-397923af.pth";
  return {{.key = kHeads[index_of(network)],
           .help = fmt::format("heads of LPIPS ({}), or its whole state dict", own),
           .file_name = fmt::format("lpips_{}.pth", own),
           .source = fmt::format(
               "lpips/weights/v0.1/{}.pth of the Python package lpips 0.1.4 "
               "(https://github.com/richzhang/PerceptualSimilarity), here as lpips_{}.pth; its "
               "digest is stored with the results",
               own, own)},
          {.key = kConvolutions[index_of(network)],
           .help = fmt::format("{} as torchvision publishes it; not needed where the file of LPIPS "
                               "holds it",
                               is_alex ? "AlexNet" : "VGG16"),
           .needed = false,
           .file_name = torchvision,
           .source = fmt::format("{0}, https://download.pytorch.org/models/{0}: the name has the "
                                 "first digits of its SHA-256",
                                 torchvision)}};
}

}  // namespace

Metric lpips_metric(LpipsNetwork network) {
  const bool is_alex = network == LpipsNetwork::kAlexNet;
  const int smallest = is_alex ? 31 : 16;
  return {.name = is_alex ? "lpips_alex" : "lpips_vgg",
          .label = is_alex ? "LPIPS (Alex)" : "LPIPS (VGG)",
          .title = fmt::format("LPIPS ({}) to the full cache", is_alex ? "AlexNet" : "VGG16"),
          .note = fmt::format("LPIPS 0.1, {} features, pixels in -1..1, no resizing",
                              is_alex ? "AlexNet" : "VGG16"),
          .scope = MetricScope::kPair,
          .higher_is_better = false,
          .lowest = 0,
          .beside_images = "LPIPS {:.3f}",
          .undefined = fmt::format("images below {} pixels a side are too small for it", smallest),
          .implementation = fmt::format("lpips 0.1 {}", is_alex ? "alex" : "vgg"),
          .inputs = inputs_of(network),
          .summarise = summarise_mean,
          .make = is_alex ? made<LpipsNetwork::kAlexNet> : made<LpipsNetwork::kVgg16>};
}

}  // namespace kvscope
