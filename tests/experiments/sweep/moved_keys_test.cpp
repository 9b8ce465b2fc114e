#include "experiments/sweep/moved_keys.h"

#include <gtest/gtest.h>

namespace kvscope {
namespace {

using Overrides = std::vector<std::string>;

TEST(MovedKeys, AreTakenWhereTheyBelongNow) {
  EXPECT_EQ(with_moved_keys({"policy.score.rotation=rerotate"}),
            Overrides{"policy.read=in_cache_positions"});
  EXPECT_EQ(with_moved_keys({"+policy.score.rotation=keep,rerotate"}),
            Overrides{"policy.read=all,in_cache_positions"});
  EXPECT_EQ(
      with_moved_keys(
          {"policy=diagonal", "policy.score.attended_share=0.1,0.5", "policy.score.sinks=4"}),
      (Overrides{"policy=diagonal", "policy.read.attended_share=0.1,0.5", "policy.read.sinks=4"}));
}

TEST(MovedKeys, OthersStayAsTheyAre) {
  const Overrides others{"policy=expected_attention", "policy.score.sinks=4", "~policy.score",
                         "policy.score.rotation=sideways", "gen.images=3"};
  EXPECT_EQ(with_moved_keys(others), others);
}

}  // namespace
}  // namespace kvscope
