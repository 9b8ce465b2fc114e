#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/verify/group_check.h"
#include "experiments/verify/metrics/clip_groups.h"
#include "experiments/verify/metrics/recorded_pairs.h"

namespace kvscope::verify {
namespace {

constexpr double kShare = 2e-5;  // of the largest value, in f32
constexpr double kCosine = 5e-6;

/// What the metadata says of a model; heads cannot be read off its weights.
ClipSettings settings_of(const GoldenFile& file, const std::string& name) {
  ClipSettings settings;
  if (!file.has_key(name)) return settings;
  const auto sizes = nlohmann::json::parse(file.text(name), nullptr, false);
  const auto number = [&](const char* key) -> std::optional<int64_t> {
    if (!sizes.is_object() || !sizes.contains(key) || !sizes[key].is_number_integer()) return {};
    return sizes[key].get<int64_t>();
  };
  settings.vision_heads = number("vision_heads");
  settings.text_heads = number("text_heads");
  if (sizes.is_object() && sizes.value("activation", "") == "gelu") {
    settings.activation = ClipActivation::kGelu;
  }
  return settings;
}

void compare_blocks(GoldenFile& file,
                    const std::string& prefix,
                    const std::vector<at::Tensor>& blocks,
                    GroupCheck& check) {
  for (size_t i = 0; i < blocks.size(); ++i) {
    const std::string name = fmt::format("{}block.{}", prefix, i);
    if (!file.has(name)) continue;
    const at::Tensor first_rows = recorded(file, name);
    const int64_t rows = std::min(first_rows.size(0), blocks[i].size(0));
    check.compare(blocks[i].narrow(0, 0, rows), first_rows, name);
  }
}

}  // namespace

Clip recorded_clip(GoldenFile& file, const std::string& prefix) {
  const std::string name = prefix.substr(0, prefix.size() - 1);
  return {file.weights(prefix).below(prefix), file.path().string() + ": " + name,
          settings_of(file, name)};
}

std::vector<GroupResult> check_clip_model(GoldenFile& file, const std::string& name) {
  const std::string out = fmt::format("out.{}.", name);
  if (!file.has(name + ".visual.class_embedding") || !file.has("ids")) {
    return {not_in_file(name, "weights or ids")};
  }
  const Clip clip = recorded_clip(file, name + ".");
  const at::Tensor pixels =
      recorded(file, fmt::format("pre.{}.pixel_values", name)).to(file.device());
  const at::Tensor ids = recorded(file, "ids");
  Clip::Trace vision;
  Clip::Trace text;
  const at::Tensor of_images = clip.image_features(pixels, &vision);
  const at::Tensor of_texts = clip.text_features(ids, &text);
  const at::Tensor cosines = at::matmul(unit_rows(of_images), unit_rows(of_texts).t());

  GroupCheck towers(name + " towers", 1e-7, kShare);
  const std::string embedded = out + "visual.after_ln_pre";
  if (file.has(embedded)) towers.compare(vision.embedded, recorded(file, embedded), embedded);
  compare_blocks(file, out + "visual.", vision.blocks, towers);
  compare_blocks(file, out + "text.", text.blocks, towers);
  GroupCheck features(name + " features", 1e-7, kShare);
  const auto compare = [&](GroupCheck& check, const char* what, const at::Tensor& computed) {
    if (file.has(out + what)) check.compare(computed, recorded(file, out + what), out + what);
  };
  compare(features, "image_features", of_images);
  compare(features, "text_features", of_texts);
  if (file.has(out + "text_features_llamagen_prefix")) {
    compare(features, "text_features_llamagen_prefix",
            clip.text_features(recorded(file, "ids_llamagen")));
  }
  GroupCheck angles(name + " cosines", kCosine);
  compare(angles, "cos", cosines);
  GroupCheck logits(name + " logits", 1e-7, kShare);
  compare(logits, "logits_per_image", cosines * clip.logit_scale());
  const bool is_quick = clip.activation() == ClipActivation::kQuickGelu;
  return {towers.result(is_quick ? "quick-GELU" : "exact GELU"), features.result(), angles.result(),
          logits.result()};
}

}  // namespace kvscope::verify
