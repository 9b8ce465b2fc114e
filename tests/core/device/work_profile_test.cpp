#include "core/device/work_profile.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace kvscope {
namespace {

double of(const StepWork& step, WorkKind kind) {
  return step.kind_ms[static_cast<size_t>(kind)];
}

TEST(WorkProfile, TellsKindsApartInsideStepsOnly) {
  const at::Tensor a = at::randn({64, 64});
  const WorkProfile profile(at::kCPU);
  at::linear(a, a);  // in no step
  {
    const WorkMark step(WorkMark::kStep);
    at::linear(a, a);
    {
      const WorkMark decision(WorkMark::kDecision);
      at::linear(a, a).topk(3);
    }
    at::cat({a, a});
  }
  {
    const WorkMark step(WorkMark::kStep);
    at::silu(a);
    const WorkMark sampling(WorkMark::kSampling);
    at::softmax(a, -1);
  }
  ASSERT_EQ(profile.steps().size(), 2);
  const StepWork& first = profile.steps()[0];
  EXPECT_GT(of(first, WorkKind::kLinear), 0);
  EXPECT_GT(of(first, WorkKind::kDecision), 0);
  EXPECT_GT(of(first, WorkKind::kCopies), 0);
  EXPECT_EQ(of(first, WorkKind::kSampling), 0);
  EXPECT_EQ(of(first, WorkKind::kAttention), 0);
  const StepWork& second = profile.steps()[1];
  EXPECT_EQ(of(second, WorkKind::kLinear), 0);
  EXPECT_GT(of(second, WorkKind::kOther), 0);
  EXPECT_GT(of(second, WorkKind::kSampling), 0);
  double kinds = 0;
  for (const double ms : first.kind_ms) kinds += ms;
  EXPECT_NEAR(kinds + first.waiting_ms(), first.wall_ms, 1e-9) << "nothing is counted twice";
}

TEST(WorkProfile, OperatorsInsideOperatorsArePartOfThem) {
  const at::Tensor a = at::randn({2, 3, 8});
  const at::Tensor w = at::randn({5, 8});
  const WorkProfile profile(at::kCPU);
  {
    const WorkMark step(WorkMark::kStep);
    at::linear(a, w, at::randn({5}));  // calls addmm, view, t, ... itself; randn is "other"
  }
  const StepWork& step = profile.steps().front();
  EXPECT_GT(of(step, WorkKind::kLinear), 0);
  EXPECT_EQ(of(step, WorkKind::kCopies), 0) << "the copies inside linear are its own";
}

TEST(WorkProfile, OneAtATime) {
  const WorkProfile first(at::kCPU);
  EXPECT_THROW(WorkProfile(at::kCPU), std::logic_error);
}

TEST(WorkKind, KnowsTheOperatorsOfAStep) {
  EXPECT_EQ(work_kind("aten::linear"), WorkKind::kLinear);
  EXPECT_EQ(work_kind("kvscope::ragged_attention"), WorkKind::kAttention);
  EXPECT_EQ(work_kind("kvscope::compact_rows"), WorkKind::kCopies);
  EXPECT_EQ(work_kind("aten::layer_norm"), WorkKind::kOther);
}

}  // namespace
}  // namespace kvscope
