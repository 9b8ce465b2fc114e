#include "core/checkpoint/mapped_tensor.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <string>
#include <tuple>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/safetensors.h"
#include "tests/core/checkpoint/torch_file.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

// A figure of /proc/self/status, in bytes.
int64_t status_bytes(const std::string& key) {
  std::ifstream stream("/proc/self/status");
  for (std::string word; stream >> word;) {
    int64_t kilobytes = 0;
    if (word == key + ":" && stream >> kilobytes) return kilobytes * 1024;
  }
  ADD_FAILURE() << key;
  return 0;
}

// Largest memory that `action` had resident at any moment, mapped files included, above what was
// resident before.
int64_t peak_bytes(const std::function<void()>& action) {
  malloc_trim(0);
  const int64_t before = status_bytes("VmRSS");
  {
    std::ofstream reset("/proc/self/clear_refs");
    reset << "5";
    reset.flush();
    EXPECT_TRUE(reset.good()) << "the peak cannot be set back on this system";
  }
  action();
  return status_bytes("VmHWM") - before;
}

constexpr int64_t kTensors = 12;
constexpr int64_t kElements = 1 << 20;

fs::path weights_file(const std::string& name, at::ScalarType dtype) {
  const fs::path path = checkpoint_folder("memory") / name;
  TensorMap map;
  std::vector<std::pair<std::string, std::string>> storages;
  std::vector<std::pair<std::string, std::string>> items;
  const at::Tensor values = at::arange(kElements, at::kFloat).remainder_(251).to(dtype);
  for (int64_t i = 0; i < kTensors; ++i) map.set(std::to_string(i), values);
  if (path.extension() == ".safetensors") {
    write_safetensors(path, map.entries());
    return path;
  }
  const std::string type = dtype == at::kFloat ? "FloatStorage" : "BFloat16Storage";
  for (const auto& [key, tensor] : map) {
    items.emplace_back(
        key, pickle::tensor(pickle::storage(type, key, kElements), 0, {kElements / 8, 8}, {8, 1}));
    storages.emplace_back(
        key, std::string(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()));
  }
  return write_torch_file(path, pickle::dictionary(items), storages);
}

class LoadingMemory : public testing::TestWithParam<std::tuple<std::string, at::ScalarType>> {};

TEST_P(LoadingMemory, PeaksAtMostATenthAboveTheWeights) {
  const auto [name, dtype] = GetParam();
  const fs::path path = weights_file(name, dtype);
  constexpr int64_t kWeightBytes = kTensors * kElements * 4;
  double sum = 0;
  const auto load = [&] {
    const TensorMap weights = converted(read_checkpoint(path), at::kCPU, at::kFloat);
    for (const auto& [key, tensor] : weights) sum += tensor.sum().item<double>();
  };
  load();  // threads and LibTorch's own tables
  const double once = sum;
  EXPECT_LE(peak_bytes(load), kWeightBytes * 11 / 10);
  EXPECT_EQ(sum, 2 * once);
  EXPECT_LE(peak_bytes([&] { read_checkpoint(path); }), kWeightBytes / 10);
  fs::remove(path);
}

INSTANTIATE_TEST_SUITE_P(Containers,
                         LoadingMemory,
                         testing::Combine(testing::Values("w.safetensors", "w.bin"),
                                          testing::Values(at::kFloat, at::kBFloat16)),
                         [](const auto& param_info) {
                           return std::get<0>(param_info.param).substr(2) + "_" +
                                  c10::toString(std::get<1>(param_info.param));
                         });

TEST(MappedTensor, ConvertsToTheSameValuesInPiecesOfAnySize) {
  const fs::path path = checkpoint_folder("convert") / "w.safetensors";
  TensorMap map;
  map.set("odd", at::randn({3, 1'000'003}).to(at::kHalf));  // crosses the pieces unevenly
  map.set("turned", at::randn({5, 7}).to(at::kHalf).t());
  map.set("ids", at::arange(9));
  map.set("none", at::empty({0, 3}, at::kHalf));
  map.set("same", at::randn({4}));
  write_safetensors(path, map.entries());
  const TensorMap read = read_checkpoint(path);
  const TensorMap wide = converted(read, at::kCPU, at::kFloat);
  for (const auto& [name, tensor] : map) {
    const bool floating = tensor.is_floating_point();
    EXPECT_EQ(wide.at(name).scalar_type(), floating ? at::kFloat : at::kLong) << name;
    EXPECT_TRUE(wide.at(name).equal(floating ? tensor.to(at::kFloat) : tensor)) << name;
  }
  EXPECT_TRUE(wide.at("same").is_alias_of(read.at("same")));
  EXPECT_TRUE(wide.at("ids").is_alias_of(read.at("ids")));
  // Giving pages back loses nothing: the file is read again.
  EXPECT_TRUE(read.at("odd").equal(map.at("odd")));
}

TEST(MappedTensor, TwoNamesOfOneTensorStayOne) {
  TensorMap map;
  const at::Tensor table = at::randn({6, 2}).to(at::kBFloat16);
  map.set("embedding", table);
  map.set("head", table);
  map.set("part", table.narrow(0, 0, 3));
  const TensorMap wide = converted(map, at::kCPU, at::kFloat);
  EXPECT_TRUE(wide.at("embedding").is_alias_of(wide.at("head")));
  EXPECT_TRUE(wide.at("part").equal(table.narrow(0, 0, 3).to(at::kFloat)));
}

TEST(MappedTensor, OutlivesItsFileAndCopiesWhatIsNotAligned) {
  const fs::path path =
      write_bytes(checkpoint_folder("one") / "x", std::string(4, '\0') + counting_floats(3));
  auto file = std::make_shared<MappedFile>(path);
  const at::Tensor aligned = mapped_tensor(file, 4, 3, at::kFloat);
  EXPECT_EQ(aligned.const_data_ptr(), file->data() + 4);
  const at::Tensor shifted = mapped_tensor(file, 2, 3, at::kFloat);
  file.reset();
  fs::remove(path);
  EXPECT_TRUE(aligned.equal(at::tensor({0.5F, 1.5F, 2.5F})));
  EXPECT_EQ(shifted.numel(), 3);
}

}  // namespace
}  // namespace kvscope
