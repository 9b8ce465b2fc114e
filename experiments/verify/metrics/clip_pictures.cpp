#include <ATen/ATen.h>
#include <fmt/format.h>

#include "analysis/networks/clip_input.h"
#include "experiments/verify/group_check.h"
#include "experiments/verify/metrics/clip_groups.h"
#include "experiments/verify/metrics/recorded_pairs.h"

namespace kvscope::verify {
namespace {

at::Tensor bytes_of(const Image& image) {
  return at::tensor(at::ArrayRef<uint8_t>(image.rgb.data(), image.rgb.size()), at::kByte)
      .view({image.height, image.width, 3});
}

std::vector<Image> pictures(GoldenFile& file) {
  std::vector<Image> pictures;
  while (file.has(fmt::format("image.{}", pictures.size()))) {
    pictures.push_back(recorded_picture(file, fmt::format("image.{}", pictures.size())));
  }
  return pictures;
}

/// Pictures that another convention is recorded of, each one alone.
struct OtherConvention {
  const char* tensor;
  size_t picture;
  ClipInput input;
  double tolerance;
};

constexpr OtherConvention kOthers[] = {
    {"pre.hf_slow.pixel_values.3", 3, ClipInput::kTransformers, 1e-6},
    {"pre.hf_fast.pixel_values.3", 3, ClipInput::kTransformersFast, 1e-6},
    {"pre.hpsv2_antialias.pixel_values", 5, ClipInput::kTensor, 1e-5},
    {"pre.hpsv2_no_antialias.pixel_values", 5, ClipInput::kTensorNoAntialias, 1e-5}};

}  // namespace

std::vector<GroupResult> check_clip_pictures(GoldenFile& file) {
  const std::vector<Image> all = pictures(file);
  GroupCheck bytes("resized, cropped bytes", 0);
  GroupCheck pixels("pixels", 1e-6);
  for (const char* name : {"openai", "open_clip"}) {
    const std::string values = fmt::format("pre.{}.pixel_values", name);
    if (!file.has(values)) continue;
    const at::Tensor expected = recorded(file, values);
    const int64_t side = expected.size(-1);
    for (size_t i = 0; i < all.size(); ++i) {
      const Image resized = clip_resized(all[i], side);
      const std::string resized_name = fmt::format("pre.{}.resized.{}", name, i);
      const std::string cropped_name = fmt::format("pre.{}.cropped.{}", name, i);
      bytes.compare(bytes_of(resized), recorded(file, resized_name), resized_name);
      bytes.compare(bytes_of(clip_cropped(resized, side, ClipInput::kOpenAi)),
                    recorded(file, cropped_name), cropped_name);
      pixels.compare(clip_pixels(all[i], side, ClipInput::kOpenAi)[0],
                     expected[static_cast<int64_t>(i)], fmt::format("{} of {}", values, i));
    }
  }
  std::vector<GroupResult> results = {bytes.result(), pixels.result()};
  for (const OtherConvention& other : kOthers) {
    if (!file.has(other.tensor) || other.picture >= all.size()) continue;
    const at::Tensor expected = recorded(file, other.tensor);
    GroupCheck check(other.tensor, other.tolerance);
    check.compare(clip_pixels(all[other.picture], expected.size(-1), other.input)[0], expected,
                  other.tensor);
    results.push_back(check.result());
  }
  return results;
}

}  // namespace kvscope::verify
