#include "experiments/commands/policy_description.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/config/repository.h"
#include "test_paths.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

ConfigRepository repository() {
  return ConfigRepository({(std::filesystem::path(kSourceDir) / "configs").string()});
}

TEST(PolicyDescription, ExplainsEveryKnobOfEveryPolicy) {
  ConfigRepository configs = repository();
  for (const std::string& name : configs.options("policy")) {
    SCOPED_TRACE(name);
    const std::string text = policy_description(configs, name, ComponentRegistry());
    EXPECT_THAT(text, HasSubstr("\nsource: "));
    std::istringstream lines(text.substr(text.find("\npolicy.")));
    std::string knob;  // of the last line, not explained yet
    for (std::string line; std::getline(lines, line);) {
      const bool explains = line.starts_with("      ");
      EXPECT_TRUE(knob.empty() || explains) << "no explanation behind:" << knob;
      knob = line.starts_with("  ") && !explains ? line : "";
    }
    EXPECT_TRUE(knob.empty()) << "no explanation behind:" << knob;
  }
}

TEST(PolicyDescription, GivesValueDefaultRangeAndHelp) {
  const auto path = std::filesystem::path(testing::TempDir()) / "policy_description";
  std::filesystem::create_directories(path / "policy");
  std::ofstream(path / "policy/mine.yaml") << "# Mine, with a \"#\" in quotes.\n"
                                              "name: mine\n"
                                              "summary: 'a # that is none'\n"
                                              "score:\n"
                                              "  name: window_attention\n"
                                              "  window: 9   # as I like it\n"
                                              "  kernel: 3\n"
                                              "protect: [{name: sinks, sink_tokens: 2}]\n";
  ConfigRepository configs({path.string()});
  const std::string text = policy_description(configs, "mine", ComponentRegistry());
  EXPECT_THAT(text, HasSubstr("Mine, with a \"#\" in quotes.\n"));
  EXPECT_THAT(text, HasSubstr("summary: a # that is none\n"));
  EXPECT_THAT(text, HasSubstr("  window = 9  (int, at least 1, queries, default 16)\n"
                              "      queries that look; "));
  EXPECT_THAT(text,
              HasSubstr("  pool = average  (string, one of average maximum, default average)\n"));
  EXPECT_THAT(text, HasSubstr("policy.protect.0: sinks"));
  EXPECT_THAT(text, HasSubstr("  sink_tokens = 2  (int, at least 0, or the word text, tokens"));
}

}  // namespace
}  // namespace kvscope
