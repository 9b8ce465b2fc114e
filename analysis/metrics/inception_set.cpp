#include "analysis/metrics/inception_set.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <utility>

#include "analysis/metrics/metric_inputs.h"
#include "analysis/statistics/moments_file.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/checkpoint/checkpoint.h"
#include "core/device/inference_guard.h"
#include "core/image/png.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWeights = "weights.inception";
constexpr const char* kReference = "fid_reference";
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Features of images by one convention; those of a reference are asked for by every point.
class FeatureSource {
 public:
  FeatureSource(Inception network, InceptionInput convention)
      : network_(std::move(network)), convention_(convention) {}

  /// [1, 2048], f32, on the CPU.
  at::Tensor of(const Image& image) {
    const std::string bytes(image.rgb.begin(), image.rgb.end());
    const std::string key = sha256_hex(fmt::format("{} {} ", image.height, image.width) + bytes);
    if (const auto found = known_.find(key); found != known_.end()) return found->second;
    const InferenceGuard guard;
    const at::Tensor input = inception_input(image, convention_, at::kFloat);
    const at::Tensor features = network_.features(input.to(network_.device())).pool.cpu();
    constexpr size_t kMostKept = 50'000;  // of 8 KiB each
    if (known_.size() < kMostKept) known_.emplace(key, features);
    return features;
  }

 private:
  Inception network_;
  InceptionInput convention_;
  std::map<std::string, at::Tensor> known_;  // by the digest of the pixels
};

std::shared_ptr<FeatureSource> source_of(const MetricInputs& inputs, InceptionInput convention) {
  const auto network = inputs.shared<Inception>("inception", [&] {
    const fs::path file = inputs.file(kWeights);
    return Inception(read_checkpoint(file), file.string()).to(inputs.device(), at::kFloat);
  });
  const bool is_clean = convention == InceptionInput::kClean;
  return inputs.shared<FeatureSource>(is_clean ? "inception clean" : "inception pytorch",
                                      [&] { return FeatureSource(*network, convention); });
}

/// PNGs of a folder and of those below it.
std::vector<fs::path> pictures_in(const fs::path& folder) {
  std::vector<fs::path> pictures;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == ".png") {
      pictures.push_back(entry.path());
    }
  }
  std::ranges::sort(pictures);
  if (pictures.empty()) {
    throw Error(ErrorKind::kInput,
                fmt::format("metrics.{}={}: no .png in it", kReference, folder.string()));
  }
  return pictures;
}

InceptionReference reference_at(const fs::path& path, FeatureSource& source) {
  std::error_code unknown;
  if (!fs::is_directory(path, unknown)) {
    if (path.extension() == ".npz") return {.moments = read_feature_moments(path)};
    throw Error(
        ErrorKind::kInput,
        fmt::format("metrics.{}={}: expected a folder of PNGs, or statistics as pytorch-fid "
                    "saves them (.npz)",
                    kReference, path.string()));
  }
  std::vector<at::Tensor> features;
  for (const fs::path& picture : pictures_in(path)) {
    features.push_back(source.of(read_png(picture).image));
  }
  return {.features = at::cat(features)};
}

double distance_from(const at::Tensor& features, const InceptionReference& reference) {
  return reference.features ? frechet_distance(features, *reference.features)
                            : frechet_distance(feature_moments(features), *reference.moments);
}

template <InceptionInput kConvention>
MeasureSet frechet_set(const MetricInputs& inputs) {
  return inception_set(inputs, kConvention, distance_from);
}

MetricSummary summary_of(double value, int64_t left_out) {
  return {.interval = {value, kNone, kNone}, .left_out = left_out};
}

}  // namespace

MeasureSet inception_set(const MetricInputs& inputs,
                         InceptionInput convention,
                         FeatureDistance distance) {
  const std::shared_ptr<FeatureSource> source = source_of(inputs, convention);
  const std::optional<std::string> given = inputs.find(kReference);
  return [source, given, distance](const EachImage& images) {
    std::vector<at::Tensor> made;
    std::vector<at::Tensor> expected;
    int64_t left_out = 0;
    images([&](const MeasuredImage& image) {
      if (!given && image.reference == nullptr) {
        ++left_out;
        return;
      }
      made.push_back(source->of(image.image));
      if (!given) expected.push_back(source->of(*image.reference));
    });
    if (made.size() < 2) return summary_of(kNone, left_out);
    const InceptionReference reference =
        given ? reference_at(*given, *source) : InceptionReference{.features = at::cat(expected)};
    return summary_of(distance(at::cat(made), reference), left_out);
  };
}

std::vector<MetricInput> inception_inputs() {
  return {
      {.key = kWeights,
       .help = "Inception-v3 of FID as pytorch-fid publishes it",
       .file_name = "pt_inception-2015-12-05-6726825d.pth",
       .source = "pt_inception-2015-12-05-6726825d.pth of pytorch-fid, "
                 "https://github.com/mseitzer/pytorch-fid/releases/tag/fid_weights: the name "
                 "has the first digits of its SHA-256"},
      {.key = kReference,
       .help = "what sets are compared with instead of the full-cache images: a folder of PNGs, or "
               "pytorch-fid's statistics (.npz)",
       .needed = false,
       .source = "a folder of pictures"}};
}

std::string resize_note(InceptionInput convention) {
  return convention == InceptionInput::kClean
             ? "299 x 299 by bicubic with antialiasing, not rounded (clean-fid)"
             : "299 x 299 by bilinear without antialiasing (pytorch-fid)";
}

Metric frechet_metric(InceptionInput convention) {
  const bool is_clean = convention == InceptionInput::kClean;
  return {.name = is_clean ? "fid_clean" : "fid_pytorch",
          .label = is_clean ? "FID (clean)" : "FID (pytorch)",
          .title = fmt::format("FID to the full cache ({} resize)",
                               is_clean ? "clean-fid" : "pytorch-fid"),
          .meaning = "of the set of images",
          .note = fmt::format("{}; covariances with N - 1, an eigenvalue form for the root; below "
                              "2048 images it depends on their number",
                              resize_note(convention)),
          .scope = MetricScope::kSet,
          .higher_is_better = false,
          .decimals = 2,
          .decimals_by_budget = 1,
          .undefined = "fewer than two images with a full-cache image of the same prompt and seed",
          .left_out = "images without a full-cache image",
          .all_left_out = "no full-cache images",
          .implementation = is_clean ? "inception 2015-12-05, clean-fid resize"
                                     : "inception 2015-12-05, pytorch-fid resize",
          .inputs = inception_inputs(),
          .make_of_set = is_clean ? frechet_set<InceptionInput::kClean>
                                  : frechet_set<InceptionInput::kPytorch>};
}

}  // namespace kvscope
