#include <ATen/ATen.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/base/json_finding.h"
#include "experiments/verify/group_check.h"
#include "experiments/verify/metrics/clip_groups.h"
#include "experiments/verify/metrics/recorded_pairs.h"

namespace kvscope::verify {
namespace {

constexpr double kCosine = 5e-6;

using nlohmann::json;

/// Cosines of the (picture, prompt) pairs, by OpenAI's model.
at::Tensor cosines_of(const at::Tensor& all, const at::Tensor& pairs) {
  const at::Tensor own = pairs.to(at::kLong);
  return all.index({own.select(1, 0), own.select(1, 1)}).to(at::kDouble);
}

at::Tensor pairs_in(const json& scores, const GoldenFile& file) {
  std::vector<int64_t> values;
  for (const json& pair : scores.at("pairs")) {
    const auto both = pair.get<std::vector<int64_t>>();
    if (both.size() != 2) file.fail("metadata 'clip_score': pairs are of a picture and a prompt");
    values.insert(values.end(), both.begin(), both.end());
  }
  return at::tensor(values, at::kLong).view({-1, 2});
}

void compare_means(const json& scores, const at::Tensor& cosines, GroupCheck& check) {
  const auto mean = [](const at::Tensor& values) { return values.mean().item<double>(); };
  const auto compare = [&](const char* name, double computed) {
    if (!scores.contains(name)) return;
    // Of values up to 100 the cosine's own tolerance is as much more.
    const double unit = std::string_view(name).find("100") == std::string_view::npos ? 1 : 100;
    check.compare(at::tensor(computed / unit, at::kDouble),
                  at::tensor(scores[name].get<double>() / unit, at::kDouble), name);
  };
  compare("papers_mean_cos", mean(cosines));
  compare("mean_of_clamped_100cos", 100 * mean(cosines.clamp_min(0)));
  compare("clamp_of_mean_100cos", 100 * std::max(mean(cosines), 0.0));
  compare("hessel_w25", 2.5 * mean(cosines.clamp_min(0)));
}

std::vector<GroupResult> check_averages(GoldenFile& file, const at::Tensor& all) {
  GroupCheck check("averages of cosines", kCosine);
  try {
    const json scores = json::parse(file.text("clip_score"));
    const at::Tensor cosines = cosines_of(all, pairs_in(scores, file));
    if (file.has("score.cos")) check.compare(cosines, recorded(file, "score.cos"), "score.cos");
    if (file.has("score.pairs")) {
      check.compare(pairs_in(scores, file), recorded(file, "score.pairs").to(at::kLong),
                    "score.pairs");
    }
    compare_means(scores, cosines, check);
    if (scores.contains("negative_set")) {
      const json& negative = scores["negative_set"];
      const at::Tensor below = cosines_of(all, pairs_in(negative, file));
      const auto expected = negative.at("cos_f64").get<std::vector<double>>();
      check.compare(below, at::tensor(expected, at::kDouble), "negative_set");
      check.compare(at::tensor(std::max(100 * below.mean().item<double>(), 0.0), at::kDouble),
                    at::tensor(negative.at("torchmetrics").get<double>(), at::kDouble),
                    "negative_set.torchmetrics");
    }
  } catch (const json::exception& error) {
    file.fail(fmt::format("metadata 'clip_score': {}", json_finding(error)));
  }
  return {check.result()};
}

}  // namespace

std::vector<GroupResult> check_clip_scores(GoldenFile& file) {
  if (!file.has("openai.visual.class_embedding")) {
    return {not_in_file("averages of cosines", "weights under OpenAI's names")};
  }
  std::vector<GroupResult> results;
  const Clip clip = recorded_clip(file, "openai.");
  if (file.has_key("clip_score") && file.has("ids")) {
    const at::Tensor pixels = recorded(file, "pre.openai.pixel_values").to(file.device());
    const at::Tensor of_images = unit_rows(clip.image_features(pixels));
    const at::Tensor of_texts = unit_rows(clip.text_features(recorded(file, "ids")));
    results = check_averages(file, at::matmul(of_images, of_texts.t()).cpu());
  }
  if (file.has("long.ids_cut_without_end")) {
    const at::Tensor ids = recorded(file, "long.ids_cut_without_end");
    GroupCheck check("texts without an end", 1e-7, 2e-5);
    const at::Tensor features = clip.text_features(ids);
    check.compare(features, recorded(file, "long.text_features_cut"), "long.text_features_cut");
    // Nothing of the text is in it: the place of the largest id is that of the start token.
    at::Tensor start = at::zeros_like(ids);
    start.select(1, 0).copy_(ids.select(1, 0));
    check.compare(clip.text_features(start), recorded(file, "long.text_features_start_token_only"),
                  "long.text_features_start_token_only");
    results.push_back(check.result("the feature of the start token"));
  }
  return results;
}

}  // namespace kvscope::verify
