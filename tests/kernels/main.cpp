// The kernels' tests, on any device: kvscope_kernels_tests --device cuda. Their oracles, loops in
// double precision on the CPU, are the same for all.
#include <gtest/gtest.h>

#include <cstdio>
#include <string_view>

#include "core/base/error.h"
#include "core/device/device.h"
#include "tests/support/test_device.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  constexpr std::string_view kOption = "--device";
  const bool chosen = argc == 3 && argv[1] == kOption;
  if (argc != 1 && !chosen) {
    std::fprintf(stderr, "usage: %s [--device cpu|cuda|cuda:N|auto] [GoogleTest's options]\n",
                 argv[0]);
    return 2;
  }
  try {
    if (chosen) kvscope::test_device() = kvscope::open_device(argv[2]);
  } catch (const kvscope::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return error.exit_code();
  }
  return RUN_ALL_TESTS();
}
