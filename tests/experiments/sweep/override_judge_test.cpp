// Overrides of a sweep, judged at the points they belong to.
#include "experiments/sweep/override_judge.h"

#include "core/base/error.h"
#include "sweep_testing.h"

namespace kvscope {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::UnorderedElementsAreArray;

using Texts = std::vector<std::string>;

std::string refusal(const Texts& overrides, bool multirun = true) {
  try {
    points_of(overrides, PointIdentity::kNone, multirun);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    return error.what();
  }
  return "accepted";
}

struct Case {
  Texts overrides;
  Texts policies;  // of the points, as tables call them
};

TEST(OverrideJudge, PointsThatDoNotReadAnOverrideTakeNoPartInIt) {
  const Case cases[] = {
      {{"policy=full,snapkv", "policy.score.window=8,16"},
       {"full", "snapkv (score.window=8)", "snapkv (score.window=16)"}},
      {{"policy=snapkv,pyramidkv", "policy.score.window=8"},
       {"snapkv (score.window=8)", "pyramidkv (score.window=8)"}},
      {{"policy=knorm,snapkv", "policy.score={window: 8}"}, {"knorm", "snapkv (score={window:8})"}},
      {{"policy=full,scalekv", "++policy.allocate.threshold=32"},
       {"full", "scalekv (allocate.threshold=32)"}},
      {{"policy=full,snapkv", "~policy.score.window"}, {"full", "snapkv (score.window=null)"}},
      {{"model=shapes_next_scale,shapes_next_token", "model.vae.encoder_blocks=2"},
       {"full", "full"}},
      {{"model=shapes_next_scale,shapes_next_token", "gen.images=2", "model.vq.encoder_blocks=1,2"},
       {"full", "full", "full"}},
      {{"prompts.source=shapes,list", "prompts.list=[a,b]", "gen.images=2"}, {"full", "full"}},
      {{"policy=snapkv", "policy.score=key_norm,window_attention", "policy.score.window=8"},
       {"snapkv (score=key_norm)", "snapkv (score=window_attention, score.window=8)"}},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(testing::PrintToString(one.overrides));
    Texts found;
    for (const Point& point : points_of(one.overrides, PointIdentity::kNone).points) {
      found.push_back(point.label("policy"));
    }
    EXPECT_THAT(found, UnorderedElementsAreArray(one.policies));
  }
}

TEST(OverrideJudge, WhatNoPointReadsIsRefusedWithTheNearest) {
  EXPECT_THAT(refusal({"policy=full,snapkv", "policy.score.windw=8"}),
              AllOf(HasSubstr("override 'policy.score.windw=8'"),
                    HasSubstr("Did you mean 'policy.score.window'?")));
  EXPECT_THAT(refusal({"policy=full,knorm", "policy.score.window=8"}),
              HasSubstr("unknown key 'policy.score.window'"));
  EXPECT_THAT(refusal({"policy=full,snapkv", "gen.imags=2"}), HasSubstr("'gen.images'"));
  EXPECT_THAT(refusal({"policy=full,snapkv", "~gen.imags"}), HasSubstr("'gen.images'"));
  EXPECT_THAT(refusal({"policy=full,snapkv", "prompts.file=a.txt"}),
              HasSubstr("prompts.source=file"));
  EXPECT_THAT(refusal({"gen.imags=2", "sed=3"}),
              AllOf(HasSubstr("'gen.images'"), HasSubstr("'seed'")));
}

TEST(OverrideJudge, OfOnePointEveryOverrideMustBeRead) {
  EXPECT_THAT(refusal({"policy.score.window=8"}, false),
              HasSubstr("unknown key 'policy.score.window'"));
  EXPECT_THAT(refusal({"~gen.imags"}, false), HasSubstr("'gen.images'"));
  EXPECT_THAT(refusal({"policy.foo=1"}, false),
              AllOf(HasSubstr("override 'policy.foo=1'"), HasSubstr("unknown key 'policy.foo'")));
  EXPECT_THAT(refusal({"model=infinity_2b", "model.cfg_interval=5"}, false),
              AllOf(HasSubstr("family infinity"), HasSubstr("those of llamagen")));
}

TEST(OverrideJudge, NoKeyNeedsAPlusBecauseNoFileListsIt) {
  for (const Texts& overrides :
       {Texts{"policy=snapkv", "policy.store={name: kivi, bits: 4}"},
        Texts{"policy=snapkv", "policy.store=kivi", "policy.store.bits=4"},
        Texts{"policy=snapkv", "policy.protect=[sinks,window]"},
        Texts{"policy=streaming_llm", "policy.protect={name: window}"},
        Texts{"policy=snapkv", "policy.score={name: key_norm}"}, Texts{"model.text.overflow=cut"},
        Texts{"budget.bytes=1MiB", "budget.ratio=null"}, Texts{"metrics.list=psnr"},
        Texts{"prompts.source=list", "prompts.list='a red circle'", "gen.images=1"}}) {
    EXPECT_EQ(refusal(overrides, false), "accepted") << testing::PrintToString(overrides);
  }
}

}  // namespace
}  // namespace kvscope
