// Every policy under a VAR model: what the plan says is kept, and the whole budget changes nothing.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "../policy_run.h"
#include "core/base/error.h"
#include "core/models/shared/guidance.h"
#include "core/models/var/generate.h"
#include "test_paths.h"
#include "tests/policies/hiding.h"

namespace kvscope {
namespace {

const std::filesystem::path kPolicyFolder = std::filesystem::path(kSourceDir) / "configs/policy";

class VarUnderPolicy : public testing::TestWithParam<std::string> {
 protected:
  VarUnderPolicy() {
    at::Generator generator = at::detail::createCPUGenerator(2);
    config_.depth = 3;
    config_.heads = 3;
    config_.width = 36;
    config_.classes = 4;
    config_.codes = vae_.codes = 50;
    config_.code_width = vae_.code_width = 5;
    tensors_ = var::random_transformer(config_, schedule_, generator);
    for (const auto& [name, tensor] : tensors_) {
      tensor.add_(at::randn(tensor.sizes(), generator), 0.1);
    }
    quantizer_ = var::random_vqvae(var::quantizer_tensors(vae_), generator);
  }

  // Audited after the last step; draws from fixed seeds.
  std::vector<at::Tensor> ids(const Plan& plan, CacheController* controller) const {
    const std::vector<int64_t> labels = {1, 3};
    KvCache cache(plan, 4, at::kCPU);
    AttentionContext context{.cache = cache, .controller = controller};
    std::vector<at::Generator> generators = {at::detail::createCPUGenerator(5),
                                             at::detail::createCPUGenerator(6)};
    const auto generation =
        var::generate(config_, var::resolve_transformer(config_, schedule_, tensors_), vae_,
                      quantizer_, schedule_, labels, {.cfg = {2.0}}, generators, context,
                      [&](const var::StepResult& step) { cache.audit(step.step.index); });
    return generation.ids;
  }

  CacheGeometry geometry() const {
    return cache_geometry(config_.attention(), next_scale_steps(schedule_));
  }

  var::TransformerConfig config_;
  var::VqvaeConfig vae_;
  ScaleSchedule schedule_ = {{1, 1}, {2, 2}, {3, 3}, {4, 5}, {6, 6}, {8, 7}, {9, 9}};
  TensorMap tensors_;
  TensorMap quantizer_;
};

TEST_P(VarUnderPolicy, KeepsWhatThePlanSays) {
  const ConfigNode group = named_policy(kPolicyFolder, GetParam());
  const auto policy = make_policy(group);
  const std::vector<at::Tensor> full = ids(full_plan(geometry()), nullptr);
  const Plan whole_plan = policy->plan(geometry(), Budget::of_ratio(1.0));
  const std::vector<at::Tensor> whole = ids(whole_plan, policy.get());
  // A store that packs has what it has rounded, and a mask hides whatever the budget.
  const bool as_is = !whole_plan.geometry().format.is_packed() && !hides_on_purpose(group);
  for (size_t si = 0; as_is && si < full.size(); ++si) {
    EXPECT_TRUE(at::equal(full[si], whole[si])) << "scale " << si;
  }
  Plan plan;
  try {
    plan = policy->plan(geometry(), Budget::of_ratio(0.5));
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  EXPECT_EQ(ids(plan, policy.get()).size(), schedule_.size());
}

INSTANTIATE_TEST_SUITE_P(EveryPolicy,
                         VarUnderPolicy,
                         testing::ValuesIn(policy_names(kPolicyFolder)),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace kvscope
