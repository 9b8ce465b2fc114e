#include <ATen/ATen.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "analysis/networks/inception.h"
#include "core/device/inference_guard.h"
#include "experiments/verify/metrics/formula_weights.h"
#include "experiments/verify/metrics/metric_groups.h"

namespace kvscope::verify {
namespace {

/// The tensor of a picture as the list writes it: "pair6a" is "pair.6.a".
std::string tensor_of(const std::string& picture) {
  if (!picture.starts_with("pair") || picture.size() < 6) return picture;
  return fmt::format("pair.{}.{}", picture.substr(4, picture.size() - 5), picture.back());
}

std::vector<std::string> pictures_of(const GoldenFile& file) {
  std::vector<std::string> pictures;
  const auto list = nlohmann::json::parse(file.text("inception.pictures"), nullptr, false);
  for (const auto& name : list) {
    if (name.is_string()) pictures.push_back(tensor_of(name.get<std::string>()));
  }
  return pictures;
}

/// Whether the tensor `name` has a row of picture `row`: the first pictures have one.
bool has_row(const GoldenFile& file, const char* name, size_t row) {
  if (!file.has(name)) return false;
  const std::vector<int64_t>& shape = file.shape(name);
  return shape.size() == 2 && row < static_cast<size_t>(shape[0]);
}

void compare_row(
    GoldenFile& file, const char* name, size_t row, const at::Tensor& computed, GroupCheck& check) {
  if (!has_row(file, name, row)) return;
  check.compare(computed[0], recorded(file, name)[static_cast<int64_t>(row)],
                fmt::format("{} of picture {}", name, row));
}

}  // namespace

std::vector<GroupResult> check_inception(GoldenFile& file) {
  if (!file.has_key("inception.pictures")) {
    return {not_in_file("inception", "pictures of its features")};
  }
  const InferenceGuard guard;
  const Inception network(
      formula_weights(inception_tensors(), [](const std::string& n) { return "inception." + n; }),
      "weights of the formula");
  const Inception doubles = network.to(file.device(), at::kDouble);
  const Inception floats = network.to(file.device(), at::kFloat);
  GroupCheck exact("inception f64", 1e-12, 1e-9);
  GroupCheck blocks("inception blocks f64", 1e-12, 1e-9);
  GroupCheck clean("inception clean f64", 1e-12, 1e-6);
  GroupCheck rounded("inception f32", 1e-12, 4e-6);
  const std::vector<std::string> pictures = pictures_of(file);
  for (size_t row = 0; row < pictures.size(); ++row) {
    if (!file.has(pictures[row])) continue;
    const Image image = recorded_picture(file, pictures[row]);
    const auto input = [&](InceptionInput convention, at::ScalarType dtype) {
      return inception_input(image, convention, dtype).to(file.device());
    };
    if (has_row(file, "inception.features_f64", row)) {
      const Inception::Features all =
          doubles.features(input(InceptionInput::kPytorch, at::kDouble));
      compare_row(file, "inception.features_f64", row, all.pool, exact);
      compare_row(file, "inception.pool1_mean_f64", row, all.first_pool, blocks);
      compare_row(file, "inception.pool2_mean_f64", row, all.second_pool, blocks);
      compare_row(file, "inception.mixed6e_mean_f64", row, all.mixed_6e, blocks);
    }
    if (has_row(file, "inception.features_f32", row)) {
      compare_row(file, "inception.features_f32", row,
                  floats.features(input(InceptionInput::kPytorch, at::kFloat)).pool, rounded);
    }
    if (has_row(file, "inception.clean_features_f64", row)) {
      compare_row(file, "inception.clean_features_f64", row,
                  doubles.features(input(InceptionInput::kClean, at::kDouble)).pool, clean);
    }
  }
  std::vector<GroupResult> results;
  for (const GroupCheck& check : {exact, blocks, clean, rounded}) {
    if (check.compared() > 0) results.push_back(check.result("weights by formula"));
  }
  if (results.empty()) results.push_back(not_in_file("inception", "the pictures"));
  return results;
}

}  // namespace kvscope::verify
