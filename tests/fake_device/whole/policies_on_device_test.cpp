// Every policy on a device whose memory the host cannot read, and that refuses what a GPU refuses:
// the same tokens, kept counts and bytes as on the CPU, on both kinds of embedded model.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/error.h"
#include "experiments/sweep/generation_session.h"
#include "test_paths.h"
#include "tests/experiments/sweep/sweep_testing.h"
#include "tests/fake_device/fake_device.h"

namespace kvscope {
namespace {

std::vector<std::string> policy_names() {
  std::vector<std::string> names;
  const std::filesystem::path folder = std::filesystem::path(kSourceDir) / "configs/policy";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

class PoliciesOnDevice : public testing::TestWithParam<std::string> {
 protected:
  static void expect_same_as_on_the_cpu(const std::vector<std::string>& overrides) {
    const PointList list = points_of(overrides, PointIdentity::kNone, true);
    ASSERT_FALSE(list.points.empty());
    for (const Point& point : list.points) {
      const Made cpu = made_on(at::kCPU, point);
      const Made device = made_on(open_fake_device(), point);
      EXPECT_EQ(device.kept, cpu.kept) << point.title();
      EXPECT_EQ(device.batch.generated.tokens, cpu.batch.generated.tokens) << point.title();
      EXPECT_EQ(device.batch.memory.kv_peak_bytes, cpu.batch.memory.kv_peak_bytes);
      EXPECT_GT(device.batch.memory.device_peak_bytes.value_or(0), device.batch.memory.arena_bytes);
    }
  }

 private:
  struct Made {
    MadeBatch batch;
    std::vector<std::vector<int64_t>> kept;  // positions of every (layer, row, head)
  };

  static Made made_on(at::Device device, const Point& point) {
    const auto model = open_model(point.config.at("model"), data_root().string(), device);
    GenerationSession session(point, *model, device);
    const std::vector<uint64_t> images{0, 1};
    Made made{.batch = session.make(images), .kept = {}};
    const KvCache& cache = session.cache();
    for (int64_t layer = 0; layer < cache.plan().geometry().layers; ++layer) {
      for (int64_t row = 0; row < cache.rows(); ++row) {
        for (int64_t head = 0; head < cache.plan().geometry().heads; ++head) {
          made.kept.push_back(cache.positions(layer, row, head));
        }
      }
    }
    return made;
  }
};

TEST_P(PoliciesOnDevice, NextScale) {
  expect_same_as_on_the_cpu({"model=shapes_next_scale", "policy=" + GetParam(), "budget.ratio=0.4",
                             "gen.images=2", "gen.cuts=per_layer,per_step", "infeasible=skip"});
}

TEST_P(PoliciesOnDevice, NextToken) {
  expect_same_as_on_the_cpu({"model=shapes_next_token", "policy=" + GetParam(), "budget.ratio=0.4",
                             "gen.images=2", "infeasible=skip"});
}

// Six query heads on two of keys and values: random weights, so a small image tells as much.
TEST_P(PoliciesOnDevice, NextTokenOfGroupedQueries) {
  expect_same_as_on_the_cpu({"model=shapes_next_token", "policy=" + GetParam(), "budget.ratio=0.8",
                             "gen.images=2", "infeasible=skip", "model.weights=random",
                             "model.layers=2", "+model.transformer.kv_heads=2",
                             "model.picture.grid=[5,8]"});
}

INSTANTIATE_TEST_SUITE_P(Every,
                         PoliciesOnDevice,
                         testing::ValuesIn(policy_names()),
                         [](const auto& policy) { return policy.param; });

}  // namespace
}  // namespace kvscope
