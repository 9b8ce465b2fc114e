#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

namespace kvscope {

/// A path for a file of the running test alone: tests run side by side, and a name that two of them
/// share is a file that one reads while the other writes it.
inline std::filesystem::path test_file(const std::string& name) {
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  std::string file = std::string(test->test_suite_name()) + "." + test->name() + "." + name;
  std::replace(file.begin(), file.end(), '/', '_');  // of parametrised tests
  return std::filesystem::path(testing::TempDir()) / ("kvscope." + file);
}

}  // namespace kvscope
