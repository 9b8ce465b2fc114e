// What `plan` says of weights and activations, against what LibTorch hands out while a model is
// opened and makes images.
#include "experiments/commands/plan_memory.h"

#include <numeric>

#include "core/device/allocation_meter.h"
#include "experiments/sweep/generation_session.h"
#include "tests/experiments/sweep/sweep_testing.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

using testing::HasSubstr;
using Words = std::vector<std::string>;

Words random_weights(const Words& words) {
  return words + Words{"model.weights=random", "gen.images=4", "threads=1"};
}

/// Models of every family, in shapes whose widest phases differ: logits, tokens, pixels.
std::vector<Words> models() {
  return {random_weights({"model=shapes_next_scale", "gen.batch=3"}),
          random_weights({"model=shapes_next_token", "gen.batch=2"}),
          random_weights({"model=llamagen_b", "model.layers=1", "model.picture.grid=[6,6]",
                          "prompts.source=list", "prompts.list=[1,2,3,4]", "gen.batch=2"}),
          random_weights({"model=llamagen_xl_t2i", "model.layers=1", "model.picture.grid=[4,4]",
                          "prompts.source=list", "prompts.list=[a,b,c,d]", "gen.batch=1"}),
          random_weights({"model=var_d16", "model.layers=1", "prompts.source=list",
                          "prompts.list=[1,2,3,4]", "gen.batch=2",
                          "model.picture.schedule=[[1,1],[2,2],[4,4],[8,8]]"}),
          random_weights({"model=infinity_2b", "model.layers=1",
                          "model.picture.schedule=[[1,1],[2,2],[4,4],[8,8]]", "gen.batch=2"})};
}

class PlannedMemory : public testing::TestWithParam<size_t> {};

TEST_P(PlannedMemory, IsWhatLibTorchHandsOut) {
  const Point point = points_of(models()[GetParam()], PointIdentity::kNone).points.front();
  const PointMemory planned = point_memory(point, point.generation.batch);
  const AllocationMeter of_weights(at::kCPU);
  const auto model = open_model(point.config.at("model"), data_root().string(), at::kCPU);
  const auto weights = static_cast<double>(of_weights.live_bytes());
  const auto weights_planned = static_cast<double>(planned.model.weight_bytes());
  EXPECT_NEAR(weights / weights_planned, 1, 0.01) << weights << " of " << weights_planned;

  GenerationSession session(point, *model, at::kCPU);
  std::vector<uint64_t> images(static_cast<size_t>(point.generation.batch));
  std::iota(images.begin(), images.end(), 0);
  const BatchMemory made = session.make(images).memory;
  EXPECT_EQ(made.arena_bytes, planned.arena_bytes);
  const auto held = static_cast<double>(made.allocator_peak_bytes - made.arena_bytes);
  const auto expected = static_cast<double>(planned.model.activation_bytes());
  EXPECT_GT(held / expected, 0.7) << held << " of " << expected;
  EXPECT_LT(held / expected, 1.1) << held << " of " << expected;
}

INSTANTIATE_TEST_SUITE_P(EveryFamily, PlannedMemory, testing::Range<size_t>(0, models().size()));

TEST(Plan, SaysWhetherAPointFits) {
  const Words words = Words{"plan"} + tiny_model() + Words{"gen.batch=4"};
  const Answer plenty = answer(words + Words{"--fits", "1GiB"});
  EXPECT_EQ(plenty.exit_code, 0) << plenty.err;
  EXPECT_THAT(plenty.out, testing::AllOf(HasSubstr("weights on cpu"), HasSubstr("fits 1 GiB")));
  const Answer none = answer(words + Words{"--fits", "100KiB"});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_THAT(none.out, HasSubstr("one image at a time does not fit either"));
  const Answer wrong = answer(words + Words{"--fits", "1GuB"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--fits=1GuB: unknown unit 'GuB'. Did you mean 'GB'"));
  for (const char* none_at_all : {"--fits=-1GiB", "--fits=0"}) {
    const Answer refused = answer(words + Words{none_at_all});
    EXPECT_EQ(refused.exit_code, 2) << none_at_all;
    EXPECT_THAT(refused.err, HasSubstr("such as 24GiB")) << none_at_all;
  }
}

TEST(Plan, NamesTheLargestBatchThatFits) {
  Point point = points_of(tiny_model() + Words{"gen.batch=8"}, PointIdentity::kNone).points.front();
  const PointMemory memory = point_memory(point, 8);
  const auto of_three = static_cast<double>(point_memory(point, 3).total_bytes());
  EXPECT_THAT(fit_text(point, memory, of_three), HasSubstr("too much; gen.batch=3 fits"));
  EXPECT_THAT(fit_text(point, memory, of_three - 1), HasSubstr("gen.batch=2 fits"));
}

TEST(Plan, AStepOfAllLayersIsInTheTotal) {
  const auto of = [](const char* timing) {
    const Point point =
        points_of(tiny_model() + Words{timing}, PointIdentity::kNone).points.front();
    return point_memory(point, 2).total_bytes();
  };
  EXPECT_GT(of("gen.cuts=per_step"), of("gen.cuts=per_layer"));
}

}  // namespace
}  // namespace kvscope
