#include <fmt/format.h>

#include <iterator>

#include "analysis/networks/clip_names.h"
#include "core/device/inference_guard.h"
#include "experiments/verify/group_check.h"
#include "experiments/verify/kinds.h"
#include "experiments/verify/metrics/clip_groups.h"
#include "experiments/verify/metrics/recorded_pairs.h"

namespace kvscope::verify {
namespace {

/// A file of the weights alone, in transformers' spelling: its features are compared with those
/// that the file beside it records of the same weights.
std::vector<GroupResult> check_renamed(GoldenFile& file) {
  const std::string lender = "clip_tiny.safetensors";
  const std::filesystem::path beside = file.path().parent_path() / lender;
  if (!std::filesystem::exists(beside)) {
    return {not_in_file("features", fmt::format("{} beside it, which records them", lender))};
  }
  GoldenFile recorded_file(beside, file.device());
  const Clip network(file.weights(""), file.path().string());
  GroupCheck names("weights", 0);
  const Clip same = recorded_clip(recorded_file, "openai.");
  for (const char* tower : {"image_features", "text_features"}) {
    const bool is_image = std::string(tower) == "image_features";
    const at::Tensor input =
        recorded(recorded_file, is_image ? "pre.openai.pixel_values" : "ids").to(file.device());
    const auto of = [&](const Clip& clip) {
      return is_image ? clip.image_features(input) : clip.text_features(input);
    };
    names.compare(of(network), of(same), tower);
  }
  GroupCheck features("features", 1e-7, 2e-5);
  features.compare(
      network.image_features(recorded(recorded_file, "pre.openai.pixel_values").to(file.device())),
      recorded(recorded_file, "out.openai.image_features"), "image_features");
  features.compare(network.text_features(recorded(recorded_file, "ids")),
                   recorded(recorded_file, "out.openai.text_features"), "text_features");
  return {names.result("as under OpenAI's names"), features.result("recorded in " + lender)};
}

}  // namespace

std::vector<GroupResult> verify_clip(GoldenFile& file) {
  const InferenceGuard guard;
  if (file.has("vision_model.embeddings.class_embedding")) return check_renamed(file);
  std::vector<GroupResult> results = check_clip_pictures(file);
  const auto add = [&](std::vector<GroupResult> more) {
    std::move(more.begin(), more.end(), std::back_inserter(results));
  };
  add(check_clip_ids(file));
  for (const char* name : {"openai", "open_clip"}) add(check_clip_model(file, name));
  add(check_clip_scores(file));
  return results;
}

}  // namespace kvscope::verify
