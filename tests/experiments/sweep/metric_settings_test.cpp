#include "experiments/sweep/metric_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "analysis/metrics/registry.h"
#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "sweep_testing.h"

namespace kvscope {
namespace {

std::string finding_of(const std::filesystem::path& file) {
  MetricInputs inputs;
  inputs.set("weights.alexnet", file.string());
  FileDigests files;
  try {
    metric_origin(metric_named("lpips_alex"), inputs, files);
  } catch (const Error& error) {
    return error.what();
  }
  return "taken";
}

TEST(MetricSettings, AFileIsWhatItsNameSaysItIs) {
  const ResultsFolder folder("published");
  std::filesystem::create_directories(folder.path());
  // The SHA-256 of "abc" begins with ba7816bf.
  for (const char* name :
       {"alexnet-owt-7be5be79.pth", "alexnet-owt-ba7816bf.pth", "mine.pth", "ViT-L-14.pt"}) {
    write_file_atomically(folder.path() / name, "abc");
  }
  EXPECT_THAT(
      finding_of(folder.path() / "alexnet-owt-7be5be79.pth"),
      testing::AllOf(testing::HasSubstr("metrics.weights.alexnet="),
                     testing::HasSubstr("begins with 7be5be79, but it begins with ba7816bf")));
  EXPECT_THAT(
      finding_of(folder.path() / "ViT-L-14.pt"),
      testing::HasSubstr("begins with b8cca3fd41ae0c99, but it begins with ba7816bf8f01cfea"));
  for (const char* name : {"alexnet-owt-ba7816bf.pth", "mine.pth"}) {
    EXPECT_THAT(finding_of(folder.path() / name), testing::Not(testing::HasSubstr("SHA-256")));
  }
}

}  // namespace
}  // namespace kvscope
