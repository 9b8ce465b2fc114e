#include "core/checkpoint/safetensors.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/checkpoint/safetensors_header.h"
#include "test_paths.h"

namespace kvscope {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

const fs::path kGolden = fs::path(kSourceDir) / "tests/golden";

fs::path fresh_folder(const std::string& name) {
  fs::path folder = fs::path(testing::TempDir()) / ("safetensors_test_" + name);
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  ADD_FAILURE() << "expected an Error";
  return "";
}

// One file with `json` as header and `data_bytes` zero bytes behind it.
fs::path raw_file(const fs::path& path, const std::string& json, size_t data_bytes) {
  std::ofstream stream(path, std::ios::binary);
  const uint64_t length = json.size();
  stream.write(reinterpret_cast<const char*>(&length), sizeof(length));
  stream << json << std::string(data_bytes, '\0');
  return path;
}

TEST(Safetensors, LoadsOrRefusesEveryOddFileAsExpected) {
  std::ifstream stream(kGolden / "bad/expected.json");
  const nlohmann::json expected = nlohmann::json::parse(stream);
  int cases = 0;
  for (const nlohmann::json& entry : expected.at("cases")) {
    const std::string file = entry.at("file");
    if (!file.ends_with(".safetensors")) continue;
    SCOPED_TRACE(file + ": " + entry.at("why").get<std::string>());
    ++cases;
    const fs::path path = kGolden / "bad" / file;
    if (entry.at("expect") == "refuse") {
      EXPECT_THAT(error_of([&] { read_safetensors(path); }), HasSubstr(file));
      continue;
    }
    const TensorMap map = read_safetensors(path);
    ASSERT_EQ(map.size(), entry.at("tensors").size());
    for (const auto& [name, wanted] : entry.at("tensors").items()) {
      const at::Tensor& tensor = map.at(name);
      EXPECT_EQ(tensor.scalar_type(), wanted.at("dtype") == "float32" ? at::kFloat : at::kBFloat16);
      EXPECT_EQ(tensor.sizes().vec(), wanted.at("shape").get<std::vector<int64_t>>());
      const auto values = wanted.at("values").get<std::vector<double>>();
      EXPECT_TRUE(tensor.to(at::kDouble).flatten().equal(at::tensor(values, at::kDouble)));
    }
  }
  EXPECT_EQ(cases, 29);
}

TEST(Safetensors, RoundTripsEveryDtypeOddShapesAndMetadata) {
  const fs::path path = fresh_folder("roundtrip") / "all.safetensors";
  const at::Tensor base = at::arange(-17, 18).view({5, 7});
  TensorMap written;
  written.set("flag", base % 2 == 0);
  written.set("narrow", base.to(at::kChar));
  written.set("byte", base.abs().to(at::kByte));
  for (const at::ScalarType type :
       {at::kShort, at::kInt, at::kLong, at::kHalf, at::kBFloat16, at::kFloat, at::kDouble}) {
    written.set(std::string("type.") + c10::toString(type), base.to(type));
  }
  written.set("scalar", at::tensor(3.5));
  written.set("empty", at::empty({0, 4}));
  written.set("transposed \"quoted\" \xc5\x82", base.to(at::kFloat).t());
  write_safetensors(path, written.entries(), {{"kind", "probe"}, {"note", "line\nbreak"}});

  const SafetensorsReader reader(path);
  EXPECT_EQ(reader.metadata("kind"), "probe");
  EXPECT_EQ(reader.metadata("note"), "line\nbreak");
  EXPECT_EQ(reader.names().size(), written.size());
  for (const auto& [name, tensor] : written) {
    EXPECT_EQ(reader.dtype(name), tensor.scalar_type());
    EXPECT_EQ(reader.shape(name), tensor.sizes().vec());
    EXPECT_TRUE(reader.tensor(name).equal(tensor)) << name;
  }
  EXPECT_FALSE(fs::exists(own_part(path)));
}

TEST(Safetensors, TypesThatNothingComputesWithAreListedLikeAnyOther) {
  struct Case {
    const char* dtype;
    const char* shape;
    size_t bytes;
    at::ScalarType read_as;
    std::vector<int64_t> read_shape;
  };
  const Case cases[] = {{"C64", "[2,3]", 48, at::kComplexFloat, {2, 3}},
                        {"F8_E4M3FNUZ", "[5]", 5, at::kFloat8_e4m3fnuz, {5}},
                        {"F8_E5M2FNUZ", "[5]", 5, at::kFloat8_e5m2fnuz, {5}},
                        {"F8_E8M0", "[5]", 5, at::kFloat8_e8m0fnu, {5}},
                        {"F4", "[3,2]", 3, at::kBits8, {3}},
                        {"F6_E2M3", "[4,2]", 6, at::kBits8, {6}},
                        {"F6_E3M2", "[4]", 3, at::kBits8, {3}},
                        {"F4", "[0,2]", 0, at::kBits8, {0}}};
  for (const Case& one : cases) {
    SCOPED_TRACE(one.dtype);
    const fs::path path =
        raw_file(fresh_folder("types") / "one.safetensors",
                 fmt::format(R"({{"a":{{"dtype":"{}","shape":{},"data_offsets":[0,{}]}}}})",
                             one.dtype, one.shape, one.bytes),
                 one.bytes);
    const at::Tensor tensor = read_safetensors(path).at("a");
    EXPECT_EQ(tensor.scalar_type(), one.read_as);
    EXPECT_EQ(tensor.sizes().vec(), one.read_shape);
  }
  const fs::path odd = raw_file(fresh_folder("odd") / "one.safetensors",
                                R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}})", 1);
  EXPECT_THAT(error_of([&] { read_safetensors(odd); }), HasSubstr("need 2 bytes"));
}

TEST(Safetensors, TensorsOutliveTheReaderAndWritesStayPrivate) {
  const fs::path path = fresh_folder("private") / "one.safetensors";
  write_safetensors(path, std::vector<TensorMap::Entry>{{"x", at::ones({3})}});
  at::Tensor x = SafetensorsReader(path).tensor("x");
  x.fill_(9);
  EXPECT_EQ(x.sum().item<float>(), 27);
  EXPECT_EQ(SafetensorsReader(path).tensor("x").sum().item<float>(), 3);
}

TEST(Safetensors, NamesTheNearestTensorAndTheKnownMetadata) {
  const SafetensorsReader reader(kGolden / "t5_encoder_tiny.safetensors");
  EXPECT_THAT(error_of([&] { static_cast<void>(reader.tensor("t5.shared.wieght")); }),
              HasSubstr("the nearest is 't5.shared.weight'"));
  EXPECT_THAT(error_of([&] { static_cast<void>(reader.metadata("d_modell")); }),
              HasSubstr("Did you mean 'd_model'?"));
}

TEST(Safetensors, ReadsShardedFolders) {
  const SafetensorsReader shards(kGolden / "t5_tiny_sharded");
  const SafetensorsReader whole(kGolden / "t5_encoder_tiny.safetensors");
  int compared = 0;
  for (const std::string& name : shards.names()) {
    if (!whole.contains("t5." + name)) continue;
    EXPECT_TRUE(shards.tensor(name).to(at::kFloat).equal(whole.tensor("t5." + name))) << name;
    ++compared;
  }
  EXPECT_EQ(compared, 3 * 9 + 3);
  const SafetensorsReader by_index(kGolden / "t5_tiny_sharded/model.safetensors.index.json");
  EXPECT_EQ(by_index.names(), shards.names());
}

TEST(Safetensors, RefusesShardIndicesThatLieOrLeaveTheFolder) {
  const fs::path folder = fresh_folder("index");
  const fs::path index = folder / "model.safetensors.index.json";
  write_safetensors(folder / "a.safetensors", std::vector<TensorMap::Entry>{{"x", at::ones({1})}});
  const auto refusal = [&](const std::string& text) {
    std::ofstream(index, std::ios::trunc) << text;
    return error_of([&] { SafetensorsReader{folder}; });
  };
  EXPECT_THAT(refusal(R"({"weight_map": {"y": "a.safetensors"}})"), HasSubstr("'y' is not in"));
  EXPECT_THAT(refusal(R"({"weight_map": {"x": "../a.safetensors"}})"), HasSubstr("no file name"));
  EXPECT_THAT(refusal(R"({"weight_map": {"x": ".."}})"), HasSubstr("no file name"));
  EXPECT_THAT(refusal(R"({"weight_map": {"x": "b.safetensors"}})"), HasSubstr("b.safetensors"));
  EXPECT_THAT(refusal(R"({"weight_map": 3})"), HasSubstr("weight_map"));
  EXPECT_THAT(refusal("not json"), HasSubstr("index.json"));
  EXPECT_THAT(refusal(std::string(100000, '[')), HasSubstr("index.json"));
}

TEST(Safetensors, ReadsUnalignedTensorsAndRefusesUnknownFields) {
  const fs::path folder = fresh_folder("raw");
  const fs::path odd = raw_file(folder / "odd.safetensors",
                                R"({"b":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                                R"("d":{"dtype":"F64","shape":[2],"data_offsets":[3,19]}})",
                                19);
  EXPECT_TRUE(SafetensorsReader(odd).tensor("d").equal(at::zeros({2}, at::kDouble)));
  const fs::path extra =
      raw_file(folder / "extra.safetensors",
               R"({"b":{"dtype":"U8","shape":[3],"strides":[1],"data_offsets":[0,3]}})", 3);
  EXPECT_THAT(error_of([&] { SafetensorsReader{extra}; }), HasSubstr("unknown field 'strides'"));
  const fs::path number =
      raw_file(folder / "number.safetensors", R"({"__metadata__":{"format":1}})", 0);
  EXPECT_THAT(error_of([&] { SafetensorsReader{number}; }), HasSubstr("__metadata__"));
}

TEST(Safetensors, AHeaderBeginsWithItsBrace) {
  const auto refusal = [](const std::string& header) -> std::string {
    try {
      parse_safetensors_header(header, 0, "x.safetensors");
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal("{}"), "");
  EXPECT_EQ(refusal("{}   "), "") << "padding behind it is usual";
  EXPECT_THAT(refusal("\xEF\xBB\xBF{}"), testing::HasSubstr("byte order mark"));
  for (const char* header : {" {}", "\n{}", "", "\xFF\xFE{}"}) {
    EXPECT_THAT(refusal(header), testing::HasSubstr("x.safetensors")) << header;
  }
}

TEST(Safetensors, DamagedBytesNeverCrash) {
  const fs::path folder = fresh_folder("damaged");
  std::ifstream stream(kGolden / "bad/good.safetensors", std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(stream), {}};
  const auto probe = [&](const std::string& bytes) {
    std::ofstream(folder / "d.safetensors", std::ios::binary | std::ios::trunc) << bytes;
    try {
      for (const auto& [name, tensor] : read_safetensors(folder / "d.safetensors")) {
        static_cast<void>(tensor.to(at::kDouble).sum().item<double>());
      }
      return true;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("d.safetensors"));
      return false;
    }
  };
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(probe(whole.substr(0, length))) << length;
  }
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const char flip : {'\x01', '\x10', '\x80'}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      probe(damaged);
    }
  }
}

TEST(Safetensors, RefusesWhatIsNoFileAndWhatCannotBeWritten) {
  const fs::path folder = fresh_folder("none");
  EXPECT_THAT(error_of([&] { SafetensorsReader{folder / "absent.safetensors"}; }),
              HasSubstr("absent.safetensors"));
  EXPECT_THAT(error_of([&] { SafetensorsReader{folder}; }), HasSubstr("found 0 and 0"));
  const std::vector<TensorMap::Entry> twice{{"x", at::ones({1})}, {"x", at::ones({1})}};
  EXPECT_THAT(error_of([&] { write_safetensors(folder / "t.safetensors", twice); }),
              HasSubstr("'x'"));
  const std::vector<TensorMap::Entry> odd{{"x", at::ones({1}, at::kComplexDouble)}};
  EXPECT_THAT(error_of([&] { write_safetensors(folder / "t.safetensors", odd); }),
              HasSubstr("dtype"));
  EXPECT_FALSE(fs::exists(folder / "t.safetensors"));
}

}  // namespace
}  // namespace kvscope
