// Whether a shell reads the words back.
#include "core/base/shell_word.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>

namespace kvscope {
namespace {

std::string read_by_shell(const std::string& word) {
  const std::string command = "printf %s " + word;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::array<char, 256> buffer{};
  std::string text;
  while (const size_t count = fread(buffer.data(), 1, buffer.size(), pipe.get())) {
    text.append(buffer.data(), count);
  }
  return text;
}

TEST(ShellWord, AShellReadsItBack) {
  for (const std::string word :
       {"plain", "gen.cfg=3", "a b", "what's this", "a='b'", "a='b!'", "\"$HOME`id`\\", "", "é (x)",
        "two\nlines", "a;b|c&d", "*?[x]", "'", "''\"''"}) {
    EXPECT_EQ(read_by_shell(shell_word(word)), word) << shell_word(word);
  }
}

TEST(ShellWord, IsAsPlainAsItCanBe) {
  EXPECT_EQ(shell_word("gen.cfg=3"), "gen.cfg=3");
  EXPECT_EQ(shell_word("prompt='a b'"), "\"prompt='a b'\"");
  EXPECT_EQ(shell_word("a b"), "'a b'");
}

}  // namespace
}  // namespace kvscope
