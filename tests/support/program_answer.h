#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "experiments/program.h"

namespace kvscope {

/// What one run of the program left: its exit code and both streams.
struct Answer {
  int exit_code = 0;
  std::string out;
  std::string err;
};

/// Runs the program with `typed` on its standard input.
inline Answer answer(const std::vector<std::string>& arguments, const std::string& typed = "") {
  std::istringstream input(typed);
  std::streambuf* terminal = std::cin.rdbuf(input.rdbuf());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Answer result;
  result.exit_code = run_program(arguments);
  std::fflush(stdout);
  std::fflush(stderr);
  result.out = testing::internal::GetCapturedStdout();
  result.err = testing::internal::GetCapturedStderr();
  std::cin.rdbuf(terminal);
  return result;
}

}  // namespace kvscope
