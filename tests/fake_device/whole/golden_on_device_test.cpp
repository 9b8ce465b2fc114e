// Every recorded run, recomputed as `kvscope verify --device` does.
#include <gtest/gtest.h>

#include <filesystem>

#include "core/checkpoint/safetensors.h"
#include "experiments/verify/verify.h"
#include "test_paths.h"
#include "tests/fake_device/fake_device.h"

namespace kvscope {
namespace {

std::vector<std::string> golden_files() {
  std::vector<std::string> files;
  const std::filesystem::path folder = std::filesystem::path(kSourceDir) / "tests/golden";
  for (const auto& below : {folder, folder / "policies"}) {
    for (const auto& entry : std::filesystem::directory_iterator(below)) {
      // Those without a `kind` record no run.
      if (entry.path().extension() == ".safetensors" &&
          SafetensorsReader(entry.path()).metadata().contains("kind")) {
        files.push_back(std::filesystem::relative(entry.path(), folder).string());
      }
    }
  }
  std::ranges::sort(files);
  return files;
}

class GoldenOnDevice : public testing::TestWithParam<std::string> {};

TEST_P(GoldenOnDevice, IsRecomputed) {
  const auto results = verify_file(std::filesystem::path(kSourceDir) / "tests/golden" / GetParam(),
                                   open_fake_device());
  for (const GroupResult& result : results) {
    EXPECT_TRUE(result.ok) << result.group << ": " << result.largest_difference << ", "
                           << result.note;
  }
}

INSTANTIATE_TEST_SUITE_P(Every,
                         GoldenOnDevice,
                         testing::ValuesIn(golden_files()),
                         [](const auto& file) {
                           std::string name = file.param.substr(0, file.param.find('.'));
                           std::ranges::replace(name, '/', '_');
                           return name;
                         });

}  // namespace
}  // namespace kvscope
