#include "core/text/text_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "core/config/yaml.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string refusal(const std::string& bytes) {
  try {
    text_input(bytes, "a.txt");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "accepted";
}

TEST(TextInput, AByteOrderMarkIsTakenOff) {
  EXPECT_EQ(text_input("\xef\xbb\xbf"
                       "é\n",
                       "a.txt"),
            "é\n");
  EXPECT_EQ(text_input("a\xef\xbb\xbf", "a.txt"), "a\xef\xbb\xbf") << "only in front";
  EXPECT_EQ(text_input("", "a.txt"), "");
}

TEST(TextInput, OtherEncodingsAreRefusedWithTheLine) {
  EXPECT_THAT(refusal("one\ntwo\ncaf\xe9 au lait\n"),
              AllOf(HasSubstr("a.txt:3: "), HasSubstr("0xe9"), HasSubstr("UTF-8")));
  EXPECT_THAT(refusal("\xff\xfe"
                      "a"),
              HasSubstr("UTF-16"));
  for (const char* bytes :
       {"\xc0\xaf", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80", "\xe2\x82", "\x80"}) {
    EXPECT_THAT(refusal(bytes), HasSubstr("a.txt:1: ")) << "overlong, surrogate, too long, cut off";
  }
}

TEST(TextInput, YamlFilesAreSuchText) {
  const auto path = test_file("a.yaml");
  std::ofstream(path) << "\xef\xbb\xbf"
                         "key: é\n";
  EXPECT_EQ(load_yaml_file(path).at("key").as_string(), "é");
  std::ofstream(path) << "one: 1\nkey: caf\xe9\n";
  try {
    load_yaml_file(path);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(path.string() + ":2: "));
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace kvscope
