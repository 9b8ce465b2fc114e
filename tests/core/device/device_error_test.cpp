#include "core/device/device_error.h"

#include <ATen/ATen.h>
#include <c10/util/Logging.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvscope {
namespace {

using testing::HasSubstr;
using testing::Not;

const c10::SourceLocation kHere{"f", "file", 1};

TEST(DeviceError, ExhaustedMemoryIsOneLineWithARemedy) {
  const c10::OutOfMemoryError error(kHere, "CUDA out of memory. Tried 2 GiB.\nSee documentation\n");
  const auto said = device_error(error);
  ASSERT_TRUE(said);
  EXPECT_EQ(said->exit_code(), 3);
  EXPECT_THAT(said->what(), HasSubstr("Tried 2 GiB"));
  EXPECT_THAT(said->what(), HasSubstr("gen.batch"));
  EXPECT_THAT(said->what(), Not(HasSubstr("\n")));
}

TEST(DeviceError, AFailedKernelIsTheDevices) {
  const auto said =
      device_error(c10::Error(kHere, "CUDA error: an illegal memory access was encountered\nmore"));
  ASSERT_TRUE(said);
  EXPECT_EQ(said->exit_code(), 3);
  EXPECT_THAT(said->what(), Not(HasSubstr("more")));
  EXPECT_TRUE(device_error(c10::AcceleratorError(kHere, 700, "illegal access")));
}

TEST(DeviceError, OtherErrorsAreNot) {
  EXPECT_FALSE(device_error(c10::Error(kHere, "q has shape [1], expected [2]")));
}

// Of a library beside LibTorch that overwrites its switches: core/text/tokenizers/minloglevel.cpp.
TEST(OutOfMemory, AnAllocationThatFailsThrowsAndDoesNotEndTheProgram) {
  EXPECT_FALSE(FLAGS_caffe2_use_fatal_for_enforce);
  try {
    const at::Tensor impossible = at::empty({int64_t{1} << 46});
    FAIL() << "64 TiB: " << impossible.sizes();
  } catch (const std::exception& error) {
    EXPECT_TRUE(out_of_memory(error)) << error.what();
  }
}

TEST(OutOfMemory, IsKnownWhoeverSaysIt) {
  const std::bad_alloc host;
  const c10::OutOfMemoryError device(kHere, "CUDA out of memory. Tried 2 GiB.\nmore");
  const c10::Error torch(kHere,
                         "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't "
                         "allocate memory: you tried to allocate 9 bytes.\nmore");
  const OutOfMemory own("cache: out of memory");
  const std::runtime_error convolution("could not create a primitive");  // oneDNN
  for (const std::exception* error :
       std::initializer_list<const std::exception*>{&host, &device, &torch, &own, &convolution}) {
    const auto told = out_of_memory(*error);
    ASSERT_TRUE(told) << error->what();
    EXPECT_EQ(told->exit_code(), 3);
    EXPECT_THAT(told->what(), Not(HasSubstr("\n")));
  }
  EXPECT_FALSE(out_of_memory(std::runtime_error("out of luck")));
  EXPECT_FALSE(out_of_memory(c10::Error(kHere, "q has shape [1], expected [2]")));
}

}  // namespace
}  // namespace kvscope
