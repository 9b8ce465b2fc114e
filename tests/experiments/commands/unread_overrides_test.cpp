// A setting that nothing reads is refused, whichever command it was given to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

TEST(UnreadOverrides, AreRefusedByEveryCommand) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"plan", "prompts.file=/nonexistent.txt"}, "prompts.source=file"},
      {{"plan", "prompts.list=[a,b]"}, "prompts.source=list"},
      {{"plan", "prompts=imagenet_classes", "prompts.seed=3"}, "prompts.source=shapes"},
      {{"plan", "prompt=a circle", "gen.images=3"}, "'gen.images' is not read"},
      {{"plan", "prompt=a circle", "prompts.seed=3"}, "'prompts.seed' is not read"},
      {{"plan", "policy.score.window=3"}, "unknown key 'policy.score.window'"},
      {{"generate", "workers=2"}, "does not read 'workers'"},
      {{"generate", "launcher=processes"}, "does not read 'launcher'"},
      {{"generate", "gen.batch=2"}, "does not read 'gen.batch'"},
      {{"generate", "metrics=none"}, "does not read 'metrics'"},
      {{"generate", "+metrics.list=[psnr]"}, "does not read 'metrics'"},
      {{"attention", "record", "workers=2"}, "does not read 'workers'"},
      {{"train", "train.stepss=3"}, "unknown key 'train.stepss'"},
  };
  for (const auto& [arguments, said] : cases) {
    const Answer refused = answer(arguments);
    EXPECT_EQ(refused.exit_code, 2) << testing::PrintToString(arguments);
    EXPECT_THAT(refused.err, HasSubstr(said));
    EXPECT_EQ(refused.out, "");
  }
}

TEST(UnreadOverrides, OnePointOfADefinedSweepSaysSo) {
  const Answer plain = answer({"plan", "+experiment=quickstart"});
  EXPECT_EQ(plain.exit_code, 0);
  EXPECT_THAT(plain.err, HasSubstr("a sweep over policy and budget.ratio"));
  const Answer chosen =
      answer({"plan", "+experiment=quickstart", "policy=snapkv", "budget.ratio=0.2"});
  EXPECT_EQ(chosen.err, "");
  const Answer idle = answer({"plan", "policy=full", "budget.ratio=0.2"});
  EXPECT_THAT(idle.err, HasSubstr("policy full keeps everything; the budget does not matter"));
  const Answer swept = answer({"plan", "-m", "+experiment=quickstart"});
  EXPECT_EQ(swept.err, "");
}

}  // namespace
}  // namespace kvscope
