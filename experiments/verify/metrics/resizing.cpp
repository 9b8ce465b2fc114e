#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "analysis/networks/image_input.h"
#include "analysis/networks/inception.h"
#include "core/image/resize.h"
#include "experiments/verify/metrics/metric_groups.h"

namespace kvscope::verify {
namespace {

constexpr int64_t kSide = 299;

at::Tensor bytes_of(const Image& image) {
  return at::tensor(at::ArrayRef<uint8_t>(image.rgb.data(), image.rgb.size()), at::kByte)
      .view({image.height, image.width, 3});
}

/// [299, 299, 3] on 0..255 or 0..1, from what the network would see.
at::Tensor seen(const Image& image, InceptionInput input) {
  const bool is_clean = input == InceptionInput::kClean;
  const at::ScalarType dtype = is_clean ? at::kDouble : at::kFloat;  // as it was recorded
  const at::Tensor pixels = inception_input(image, input, dtype)[0].permute({1, 2, 0});
  return is_clean ? pixels * 128 + 128 : (pixels + 1) / 2;
}

}  // namespace

std::vector<GroupResult> check_resizing(GoldenFile& file) {
  GroupCheck exact("resized bytes", 0);
  GroupCheck clean("clean-fid resize", kTolerance);
  GroupCheck bilinear("pytorch-fid resize", 1e-6);
  for (const auto& [picture, name] :
       {std::pair{"pair.6.a", "resize.pair6a."}, std::pair{"big", "resize.big."}}) {
    if (!file.has(picture)) continue;
    const Image image = recorded_picture(file, picture);
    const auto has = [&](const char* what) { return file.has(std::string(name) + what); };
    const auto expected = [&](const char* what) {
      return recorded(file, std::string(name) + what);
    };
    // A file may hold the first lines alone.
    const auto compare = [&](GroupCheck& check, const char* what, const at::Tensor& computed) {
      const at::Tensor lines = expected(what);
      const int64_t count = std::min(lines.size(0), computed.size(0));
      check.compare(computed.narrow(0, 0, count), lines, std::string(name) + what);
    };
    if (has("pil_bicubic_u8")) {
      compare(exact, "pil_bicubic_u8",
              bytes_of(resize_image(image, kSide, kSide, ResizeFilter::kBicubic)));
    }
    if (has("clean_bicubic_f32")) {
      compare(clean, "clean_bicubic_f32", seen(image, InceptionInput::kClean));
    }
    if (has("torch_bilinear_f32")) {
      compare(bilinear, "torch_bilinear_f32", seen(image, InceptionInput::kPytorch));
    }
  }
  if (file.has("lanczos.in")) {
    const Image image = recorded_picture(file, "lanczos.in");
    for (const char* name : {"lanczos.out_2x", "lanczos.out_half"}) {
      if (!file.has(name)) continue;
      const at::Tensor bytes = recorded(file, name);
      exact.compare(
          bytes_of(resize_image(image, bytes.size(0), bytes.size(1), ResizeFilter::kLanczos)),
          bytes, name);
    }
  }
  std::vector<GroupResult> results;
  for (const GroupCheck& check : {exact, clean, bilinear}) {
    if (check.compared() > 0) results.push_back(check.result());
  }
  if (results.empty()) results.push_back(not_in_file("resized", "resized pictures"));
  return results;
}

}  // namespace kvscope::verify
