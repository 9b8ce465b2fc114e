#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "core/base/error.h"

namespace kvscope {

/// The message of the Error that `action` must throw, of that kind.
template <typename Action>
std::string error_of(const Action& action, ErrorKind kind = ErrorKind::kConfig) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

/// A folder of config files for one test.
class ConfigFolder {
 public:
  explicit ConfigFolder(const std::string& name)
      : root_(testing::TempDir() + "/kvscope_config_" + name) {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  ~ConfigFolder() { std::filesystem::remove_all(root_); }
  ConfigFolder(const ConfigFolder&) = delete;
  ConfigFolder& operator=(const ConfigFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return root_; }

  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file, std::ios::binary) << text;
  }

 private:
  std::filesystem::path root_;
};

}  // namespace kvscope
