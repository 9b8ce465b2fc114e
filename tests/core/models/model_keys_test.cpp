#include "core/models/model_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace kvscope {
namespace {

TEST(ClassOfPrompt, IsAWholeNumberInRange) {
  EXPECT_EQ(class_of_prompt("207", 1000), 207);
  EXPECT_EQ(class_of_prompt(" 0 ", 1000), 0);
  EXPECT_EQ(class_of_prompt("999", 1000), 999);
  for (const char* wrong : {"1000", "-1", "", " ", "cat", "12.5", "7 8", "99999999999999999999"}) {
    try {
      class_of_prompt(wrong, 1000);
      FAIL() << wrong;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig);
      EXPECT_THAT(error.what(), testing::HasSubstr("0..999"));
    }
  }
}

}  // namespace
}  // namespace kvscope
