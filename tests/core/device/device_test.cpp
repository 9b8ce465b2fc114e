#include "core/device/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/logged_text.h"

namespace kvscope {
namespace {

/// The error that opening `name` throws, or nullopt.
std::optional<Error> refusal(const std::string& name) {
  try {
    open_device(name);
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

TEST(OpenDevice, CpuIsAlwaysThere) {
  EXPECT_EQ(open_device("cpu"), c10::Device(c10::kCPU));
}

TEST(OpenDevice, AutoIsTheGpuWhereThereIsOneAndSaysSo) {
  const LoggedText log;
  const std::string resolved = resolved_device("auto");
  EXPECT_THAT(log.text(), testing::HasSubstr("device=auto: "));
  if (gpu_count() == 0) {
    EXPECT_EQ(resolved, "cpu");
  }
  EXPECT_EQ(open_device("auto").is_cpu(), resolved == "cpu");
  EXPECT_EQ(resolved_device("cuda:1"), "cuda:1");
}

TEST(OpenDevice, UnknownNamesAreConfigurationErrors) {
  for (const char* name :
       {"", "gpu", "cuda0", "cuda:", "cuda:-1", "cuda:x", "cuda:0 ", "cuda:999"}) {
    const std::optional<Error> error = refusal(name);
    ASSERT_TRUE(error) << name;
    EXPECT_EQ(error->kind(), ErrorKind::kConfig) << name;
    EXPECT_THAT(error->what(), testing::HasSubstr("cpu")) << name;
  }
}

TEST(OpenDevice, AskingForAGpuWithoutOneSaysWhyAndWhatToDo) {
  if (gpu_count() > 0) GTEST_SKIP() << "this machine has a GPU";
  for (const char* name : {"cuda", "cuda:0", "cuda:1"}) {
    const std::optional<Error> error = refusal(name);
    ASSERT_TRUE(error) << name;
    EXPECT_EQ(error->kind(), ErrorKind::kEnvironment);
    EXPECT_EQ(error->exit_code(), 3);
    EXPECT_THAT(error->what(),
                testing::StartsWith(std::string("device=") + name + ": no usable GPU"));
    EXPECT_THAT(error->what(), testing::HasSubstr("device=cpu"));
  }
}

TEST(OpenDevice, AGpuBeyondTheLastIsRefused) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  const std::optional<Error> error = refusal("cuda:100");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kEnvironment);
}

TEST(OpenDevice, TheFirstGpuOpens) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  EXPECT_EQ(open_device("cuda"), c10::Device(c10::kCUDA, 0));
}

}  // namespace
}  // namespace kvscope
