#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>

#include "core/base/sha256.h"
#include "experiments/results/result_file.h"

namespace kvscope {

/// An empty folder of the running test.
inline std::filesystem::path fresh_folder(const std::string& name) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) /
      fmt::format("kvscope_{}_{}_{}", test->test_suite_name(), test->name(), name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

inline PointInfo sample_point(const std::string& policy, double ratio, int64_t images) {
  PointInfo point;
  const std::string budget = fmt::format("{:g} %", ratio * 100);
  point.point_hash = sha256_hex(policy + budget);
  point.config_yaml = "policy: " + policy + "\n";
  point.overrides = {"policy=" + policy, "budget.ratio=0.1"};
  point.manifest_json = "{}";
  point.labels = {{"model", "toy"}, {"policy", policy}, {"budget", budget}, {"seed", "0"}};
  point.full_cache = policy == "full";
  point.kept_tokens = 100 * ratio;
  point.full_tokens = 100;
  point.budget_tokens = static_cast<int64_t>(100 * ratio);
  point.target_tokens = point.budget_tokens;
  point.images = images;
  point.steps = 3;
  point.token_bytes = 5;
  point.prompt_bytes = 40;
  return point;
}

inline ImageRow sample_row(uint64_t index) {
  ImageRow row;
  row.image_index = index;
  row.prompt_id = index / 2;
  row.prompt = fmt::format("a réd circle {}", index);
  row.seed = uint64_t{0xF000000000000000} + index;
  row.packed_tokens = {static_cast<uint8_t>(index), 1, 2, 3, 255};
  row.token_sha256 = sha256_hex(fmt::format("{}", index));
  row.step_ms = {1.5, 2.25, static_cast<double>(index)};
  row.attention_ms = 10 + static_cast<double>(index);
  row.policy_ms = 0.5;
  row.total_ms = 100 + static_cast<double>(index);
  row.kv_planned_bytes = 3 << 20;
  row.kv_live_bytes = 3 << 20;
  row.kv_peak_bytes = 4 << 20;
  row.kv_peak_planned_bytes = (4 << 20) + 1;
  row.kv_allocated_bytes = 5 << 20;
  row.allocator_peak_bytes = 7 << 20;
  row.allocator_planned_bytes = 6 << 20;
  row.metrics["psnr"] = index == 1 ? INFINITY : 20 + static_cast<double>(index);
  row.metrics["ssim"] = 0.5;
  row.metrics["shape_eval"] = index % 2 == 0 ? 1 : 0;
  row.skill = "colours";
  return row;
}

inline Image sample_image(uint8_t level) {
  Image image(16, 16);
  for (size_t i = 0; i < image.rgb.size(); ++i) {
    image.rgb[i] = static_cast<uint8_t>(i % 97 + level);
  }
  return image;
}

/// A finished point with images, whose rows have no PSNR and SSIM.
inline std::filesystem::path write_sample_point(const std::filesystem::path& sweep,
                                                const PointInfo& point,
                                                uint8_t level) {
  std::filesystem::path folder = sweep / "points" / point.point_hash.substr(0, 12);
  ResultWriter writer(folder / "result.h5", point);
  for (uint64_t i = 0; i < static_cast<uint64_t>(point.images); ++i) {
    ImageRow row = sample_row(i);
    row.metrics["psnr"] = row.metrics["ssim"] = kNotMeasured;
    write_result_image(folder, point, row, sample_image(level));
    writer.append(row);
  }
  writer.finish();
  return folder;
}

}  // namespace kvscope
