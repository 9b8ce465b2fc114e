#include "experiments/sweep/text_overrides.h"

#include <array>
#include <cstdio>
#include <memory>

#include "core/base/error.h"
#include "core/config/override.h"
#include "sweep_testing.h"

namespace kvscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string prompt_of(const std::string& value) {
  return points_of({"prompt=" + value}, PointIdentity::kNone, false)
      .points.front()
      .prompts.at(0)
      .text;
}

TEST(TextOverrides, APromptIsWhatIsTyped) {
  for (const std::string text : {"a red circle",
                                 "a red circle!",
                                 "what's this",
                                 "a (red) circle",
                                 "a red \"circle\"",
                                 "a=b",
                                 "a: b",
                                 "a, b",
                                 "a,b,c",
                                 "[a",
                                 "{a",
                                 "cost ${x",
                                 "${",
                                 "a \\${ b",
                                 "\\'",
                                 "'",
                                 "\"",
                                 "a\\",
                                 "50% off; two & three",
                                 "ünïcödé ✓!",
                                 "#1",
                                 "~tilde",
                                 "a@b",
                                 "<b>",
                                 "a|b",
                                 "(",
                                 "choice(a",
                                 "f(x)",
                                 "line\nbreak!",
                                 "tab\t!",
                                 "'quoted' and not"}) {
    EXPECT_EQ(prompt_of(text), text);
  }
}

TEST(TextOverrides, WhatTheGrammarReadsStaysAsItReadsIt) {
  EXPECT_EQ(prompt_of("'a, b'"), "a, b");
  EXPECT_EQ(prompt_of("207"), "207");
  EXPECT_EQ(prompt_of("a \\\\"), "a \\");
  EXPECT_THAT(
      with_quoted_texts({"prompt=a b", "prompt='a!'", "gen.cfg=[1,2]", "prompt=null"}, false),
      ElementsAre("prompt=a b", "prompt='a!'", "gen.cfg=[1,2]", "prompt=null"));
  EXPECT_THAT(with_quoted_texts({"prompt=a,b", "gen.tau=1!"}, true),
              ElementsAre("prompt=a,b", "gen.tau=1!"))
      << "a sweep, and a key that takes no text";
  EXPECT_THAT(with_quoted_texts({"+prompt=a!", "++prompts.file=my file (1).txt"}, false),
              ElementsAre("+prompt='a!'", "++prompts.file='my file (1).txt'"));
}

TEST(TextOverrides, APromptThatIsNoTextIsToldHowToBeOne) {
  const auto refusal = [](const std::string& override_text) -> std::string {
    try {
      points_of({override_text}, PointIdentity::kNone, false);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal("prompt=2.5"), HasSubstr("\"prompt='2.5'\""));
  EXPECT_THAT(refusal("prompt=true"), HasSubstr("\"prompt='true'\""));
  EXPECT_EQ(prompt_of("'2.5'"), "2.5");
  EXPECT_THAT(refusal("prompt=\xff!"), HasSubstr("not UTF-8"));
}

std::string read_by_shell(const std::string& word) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(("printf %s " + word).c_str(), "r"),
                                                   pclose);
  std::array<char, 1024> buffer{};
  return {buffer.data(), fread(buffer.data(), 1, buffer.size(), pipe.get())};
}

TEST(TextOverrides, TheRemedyOfARefusedTextWorksInAShell) {
  for (const std::string input :
       {"gen.note=a b!", "gen.note=it's", "gen.note=a (b) c", "gen.note=a=b"}) {
    try {
      parse_override(input);
      ADD_FAILURE() << input << " was accepted";
    } catch (const Error& error) {
      const std::string message = error.what();
      const std::string before = "for the shell: ";
      const size_t at = message.find(before);
      ASSERT_NE(at, message.npos) << message;
      const Override remedy = parse_override(read_by_shell(message.substr(at + before.size())));
      EXPECT_EQ(remedy.node().as_string(), input.substr(input.find('=') + 1));
    }
  }
}

}  // namespace
}  // namespace kvscope
