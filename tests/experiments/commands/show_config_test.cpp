// What says how something is printed is not passed over where nothing is, nor what says what is
// done where something is printed.
#include "experiments/commands/show_config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

using testing::HasSubstr;
using Words = std::vector<std::string>;

TEST(ShowConfig, HowItIsPrintedIsRefusedWhereNothingIs) {
  for (const std::string command : {"run", "plan"}) {
    for (const Words& how : {Words{"--resolve"}, Words{"--package", "gen"}, Words{"-p", "gen"},
                             Words{"--info", "defaults", "--resolve"}}) {
      Words words = {command, "gen.images=1"};
      words.insert(words.end(), how.begin(), how.end());
      const Answer refused = answer(words);
      EXPECT_EQ(refused.exit_code, 2) << refused.err;
      EXPECT_EQ(refused.out, "");
      std::string line = command;
      for (size_t i = 1; i < words.size(); ++i) line += " " + words[i];
      EXPECT_THAT(refused.err, HasSubstr(line + " --cfg job"));
      words.insert(words.end(), {"--cfg", "job"});
      EXPECT_EQ(answer(words).exit_code, 0);
    }
  }
}

TEST(ShowConfig, WhatIsDoneIsRefusedWhereTheConfigIsPrinted) {
  for (const Words& words :
       {Words{"run", "--cfg", "job", "--force"}, Words{"run", "--origin", "--retry-failed"},
        Words{"run", "--info", "defaults", "--only", "ab"}, Words{"plan", "--cfg", "job", "--json"},
        Words{"plan", "--cfg", "job", "--fits", "1GiB"}, Words{"plan", "--origin", "--full"}}) {
    const Answer refused = answer(words);
    EXPECT_EQ(refused.exit_code, 2) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("the config is printed and nothing else is done"));
    EXPECT_EQ(refused.out, "");
  }
}

TEST(ShowConfig, ATableOfPlannedMemoryRefusesTheOptionsOfASweep) {
  const std::string table = "+experiment=paper/scalekv_table1_memory";
  for (const Words& words : {Words{"run", table, "--force"}, Words{"plan", table, "--full"}}) {
    const Answer refused = answer(words);
    EXPECT_EQ(refused.exit_code, 2) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr(words.back() + ": a table of planned memory"));
  }
}

}  // namespace
}  // namespace kvscope
