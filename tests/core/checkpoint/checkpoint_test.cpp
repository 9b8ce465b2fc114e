#include "core/checkpoint/checkpoint.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/checkpoint/safetensors.h"
#include "test_paths.h"
#include "tests/core/checkpoint/torch_file.h"

namespace kvscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

const fs::path kGolden = fs::path(kSourceDir) / "tests/golden";

nlohmann::json odd_files() {
  std::ifstream stream(kGolden / "bad/expected.json");
  return nlohmann::json::parse(stream).at("cases");
}

void expect_listed_values(const TensorMap& map, const nlohmann::json& tensors) {
  ASSERT_EQ(map.size(), tensors.size());
  for (const auto& [name, wanted] : tensors.items()) {
    const at::Tensor& tensor = map.at(name);
    EXPECT_EQ(tensor.scalar_type(), wanted.at("dtype") == "float32" ? at::kFloat : at::kBFloat16);
    EXPECT_EQ(tensor.sizes().vec(), wanted.at("shape").get<std::vector<int64_t>>());
    const auto values = wanted.at("values").get<std::vector<double>>();
    EXPECT_TRUE(tensor.to(at::kDouble).flatten().equal(at::tensor(values, at::kDouble))) << name;
  }
}

class OddFile : public testing::TestWithParam<nlohmann::json> {};

TEST_P(OddFile, LoadsOrIsRefusedAsExpected) {
  const std::string file = GetParam().at("file");
  const std::string expected = GetParam().at("expect");
  SCOPED_TRACE(GetParam().at("why").get<std::string>());
  // What a payload would do, it would do in the working directory.
  const fs::path before = fs::current_path();
  const fs::path folder = checkpoint_folder("odd_" + file);
  fs::current_path(folder);
  bool loaded = false;
  try {
    const TensorMap map = read_checkpoint(kGolden / "bad" / file);
    loaded = true;
    EXPECT_NE(expected, "refuse");
    expect_listed_values(map, GetParam().value("tensors", nlohmann::json::object()));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr(file));
    EXPECT_NE(expected, "load") << error.what();
  }
  EXPECT_TRUE(fs::is_empty(folder)) << "loaded: " << loaded;
  fs::current_path(before);
}

std::string odd_file_name(const testing::TestParamInfo<nlohmann::json>& odd) {
  std::string name = odd.param.at("file");
  std::ranges::replace(name, '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Golden,
                         OddFile,
                         testing::ValuesIn(odd_files().get<std::vector<nlohmann::json>>()),
                         odd_file_name);

TEST(Checkpoint, EveryOddFileIsListed) {
  std::vector<std::string> listed = {"README.md", "expected.json"};
  for (const nlohmann::json& one : odd_files()) listed.push_back(one.at("file"));
  std::vector<std::string> there;
  for (const auto& item : fs::directory_iterator(kGolden / "bad")) {
    there.push_back(item.path().filename().string());
  }
  EXPECT_THAT(there, testing::UnorderedElementsAreArray(listed));
}

TEST(Checkpoint, SaysWhatIsWrongWithOddFilesInWords) {
  const auto refusal = [](const std::string& file) {
    return input_error_of([&] { read_checkpoint(kGolden / "bad" / file); });
  };
  EXPECT_THAT(refusal("os_system.bin"), HasSubstr("names 'posix.system'"));
  EXPECT_THAT(refusal("legacy.bin"), HasSubstr("before 1.6"));
  EXPECT_THAT(refusal("deflated.bin"), HasSubstr("is compressed"));
  EXPECT_THAT(refusal("truncated.bin"), HasSubstr("truncated"));
  EXPECT_THAT(refusal("not_a_zip.bin"), HasSubstr("1000 bytes that are neither"));
  EXPECT_THAT(refusal("storage_size_lie.bin"), HasSubstr("10000 elements"));
  EXPECT_THAT(refusal("missing_storage.bin"), HasSubstr("data/7"));
  EXPECT_THAT(refusal("key_traversal.bin"), HasSubstr("not in the archive"));
  EXPECT_THAT(refusal("pickle_empty.bin"), HasSubstr("it has no bytes"));
  EXPECT_THAT(refusal("no_data_pkl.bin"), HasSubstr("0 data.pkl"));
  EXPECT_THAT(refusal("view_past_storage.bin"), HasSubstr("leave its storage"));
  EXPECT_THAT(refusal("absent.bin"), HasSubstr("cannot open"));
}

// Golden files.

TEST(Checkpoint, ReadsGoldenJanusTinyPytorchModelBin) {
  const Checkpoint janus = open_checkpoint(kGolden / "janus_tiny_pytorch_model.bin");
  EXPECT_EQ(janus.container, "PyTorch zip archive");
  EXPECT_EQ(janus.tensors.size(), 44);
  const TensorMap native = read_checkpoint(kGolden / "janus_tiny_hf_names.safetensors");
  EXPECT_EQ(native.size(), 39);
  // Both spell the decoder alike but for the place of "model.".
  const std::string ours = "language_model.model.";
  int compared = 0;
  for (const auto& [name, tensor] : janus.tensors) {
    if (!name.starts_with(ours) || name.ends_with("inv_freq")) continue;
    EXPECT_EQ(tensor.scalar_type(), at::kBFloat16);
    EXPECT_TRUE(
        tensor.to(at::kFloat).equal(native.at("model.language_model." + name.substr(ours.size()))))
        << name;
    ++compared;
  }
  EXPECT_EQ(compared, 3 * 9 + 2);
  EXPECT_TRUE(janus.tensors.at("language_model.lm_head.weight")
                  .to(at::kFloat)
                  .equal(native.at("lm_head.weight")));
}

TEST(Checkpoint, ReadsGoldenJanusTinySharded) {
  const TensorMap whole = read_checkpoint(kGolden / "janus_tiny_pytorch_model.bin");
  const Checkpoint shards = open_checkpoint(kGolden / "janus_tiny_sharded");
  EXPECT_EQ(shards.files, 2);
  ASSERT_EQ(shards.tensors.size(), whole.size());
  for (const auto& [name, tensor] : whole) {
    EXPECT_EQ(shards.tensors.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(shards.tensors.at(name).equal(tensor)) << name;
  }
  const fs::path index = kGolden / "janus_tiny_sharded/pytorch_model.bin.index.json";
  EXPECT_EQ(read_checkpoint(index).names(), shards.tensors.names());
}

TEST(Checkpoint, ReadsGoldenT5TinySharded) {
  const Checkpoint shards = open_checkpoint(kGolden / "t5_tiny_sharded");
  EXPECT_EQ(shards.container, "safetensors");
  EXPECT_EQ(shards.files, 2);
  const TensorMap whole = read_checkpoint(kGolden / "t5_encoder_tiny.safetensors").below("t5.");
  for (const auto& [name, tensor] : whole) {
    EXPECT_TRUE(shards.tensors.at(name).to(at::kFloat).equal(tensor)) << name;
  }
  EXPECT_EQ(whole.size(), 3 * 9 + 3);
}

TEST(Checkpoint, ContentDecidesTheContainerNotTheName) {
  const fs::path folder = checkpoint_folder("content");
  fs::copy_file(kGolden / "bad/good.bin", folder / "zip.safetensors");
  fs::copy_file(kGolden / "bad/good.safetensors", folder / "plain.pt");
  EXPECT_EQ(open_checkpoint(folder / "zip.safetensors").container, "PyTorch zip archive");
  EXPECT_EQ(open_checkpoint(folder / "plain.pt").container, "safetensors");
}

TEST(Checkpoint, AFolderGivesItsIndexOrItsOneFile) {
  const fs::path folder = checkpoint_folder("folder");
  const auto refusal = [&] { return input_error_of([&] { read_checkpoint(folder); }); };
  EXPECT_THAT(refusal(), HasSubstr("found 0 and 0"));
  std::ofstream(folder / "config.json") << "{}";
  fs::copy_file(kGolden / "bad/good.bin", folder / "pytorch_model.bin");
  EXPECT_EQ(open_checkpoint(folder).container, "PyTorch zip archive");
  fs::copy_file(kGolden / "bad/good.safetensors", folder / "model.safetensors");
  EXPECT_EQ(open_checkpoint(folder).container, "safetensors");
  fs::copy_file(kGolden / "bad/good.safetensors", folder / "model.fp16.safetensors");
  fs::copy_file(kGolden / "bad/good.bin", folder / "other.pth");
  EXPECT_THAT(refusal(), HasSubstr("found 0 and 4"));
  std::ofstream(folder / "model.safetensors.index.json")
      << R"({"weight_map": {"a": "model.safetensors", "b": "model.safetensors"}})";
  EXPECT_THAT(read_checkpoint(folder).names(), ElementsAre("a", "b"));
}

TEST(Checkpoint, RefusesAnIndexThatLies) {
  const fs::path folder = checkpoint_folder("index");
  const fs::path index = folder / "pytorch_model.bin.index.json";
  fs::copy_file(kGolden / "bad/good.bin", folder / "one.bin");
  fs::copy_file(kGolden / "bad/hand_written.bin", folder / "two.bin");
  const auto refusal = [&](const std::string& text) {
    std::ofstream(index, std::ios::trunc) << text;
    return input_error_of([&] { read_checkpoint(folder); });
  };
  EXPECT_THAT(refusal(R"({"weight_map": {"c": "one.bin"}})"), HasSubstr("'c' is not in 'one.bin'"));
  EXPECT_THAT(refusal(R"({"weight_map": {"b": "one.bin", "a": "two.bin"}})"),
              HasSubstr("and in an earlier shard"));
  EXPECT_THAT(refusal(R"({"weight_map": {"a": "../one.bin"}})"), HasSubstr("no file name"));
  EXPECT_THAT(refusal(R"({"weight_map": {"a": "three.bin"}})"), HasSubstr("three.bin"));
  EXPECT_THAT(refusal(R"({"weight_map": {}})"), HasSubstr("no shards"));
  EXPECT_THAT(refusal(std::string(100'000, '[')), HasSubstr("index.json"));
}

TEST(Checkpoint, TakesDdpPrefixesOffInEitherContainer) {
  const fs::path folder = checkpoint_folder("ddp");
  write_safetensors(
      folder / "a.safetensors",
      std::vector<TensorMap::Entry>{{"module.w", at::ones({2})}, {"module.b", at::zeros({1})}},
      {{"note", "kept"}});
  const Checkpoint checkpoint = open_checkpoint(folder);
  EXPECT_THAT(checkpoint.tensors.names(), ElementsAre("w", "b"));
  EXPECT_EQ(checkpoint.metadata.at("note"), "kept");
}

}  // namespace
}  // namespace kvscope
