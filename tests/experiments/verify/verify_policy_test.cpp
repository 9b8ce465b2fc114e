// Recorded decisions of cache policies that are damaged, hostile or wrong: a clear error or a
// failed verdict, never a pass.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/checkpoint/safetensors.h"
#include "experiments/verify/policies/tensors.h"
#include "experiments/verify/verify.h"
#include "test_paths.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

/// A copy of tests/golden/policies/NAME.safetensors that a test may damage.
struct Recorded {
  explicit Recorded(const std::string& name) {
    const SafetensorsReader reader(fs::path(kSourceDir) / "tests/golden/policies" /
                                   (name + ".safetensors"));
    metadata = reader.metadata();
    cases = json::parse(metadata.at("cases"));
    for (const std::string& tensor : reader.names()) {
      tensors.emplace_back(tensor, reader.tensor(tensor).clone());
    }
  }
  at::Tensor& tensor(const std::string& name) {
    for (auto& [known, values] : tensors) {
      if (known == name) return values;
    }
    throw std::out_of_range(name);
  }
  json& params(const std::string& name) {
    for (json& entry : cases) {
      if (entry["name"] == name) return entry["params"];
    }
    throw std::out_of_range(name);
  }
  fs::path write() { return write_cases(cases.dump()); }
  fs::path write_cases(const std::string& text) {
    metadata["cases"] = text;
    const fs::path path = test_file("verify_policy_copy.safetensors");
    write_safetensors(path, tensors, metadata);
    return path;
  }
  std::map<std::string, std::string> metadata;
  json cases;
  std::vector<std::pair<std::string, at::Tensor>> tensors;
};

std::string error_of(const fs::path& path) {
  try {
    verify_file(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput) << error.what();
    return error.what();
  }
  return "no error";
}

/// Groups that fail.
std::vector<std::string> failures(const fs::path& path) {
  std::vector<std::string> failed;
  for (const GroupResult& result : verify_file(path)) {
    if (!result.ok) failed.push_back(result.group);
  }
  return failed;
}

TEST(VerifyPolicy, OneOtherIndexOrScoreFails) {
  Recorded file("headkv");
  file.tensor("select_max7.kept").index({1, 3}).add_(1);
  file.tensor("capacity1.capacity").index({5, 2}).sub_(1);
  file.tensor("select_avg5.scores").index({2, 90}).mul_(1.01);
  EXPECT_THAT(failures(file.write()), testing::UnorderedElementsAre("kept", "capacity", "scores"));
}

TEST(VerifyPolicy, TheOrderOfTheCacheCounts) {
  Recorded file("rkv");
  const at::Tensor kept = file.tensor("trace.kept_in_cache_order");
  const at::Tensor line = kept[40][1];
  const at::Tensor first = line[0].clone();
  line[0].copy_(line[1]);
  line[1].copy_(first);
  EXPECT_THAT(failures(file.write()), testing::ElementsAre("kept_in_cache_order"));
}

TEST(VerifyPolicy, NamesCaseAndParameter) {
  for (const json& value : {json(-1), json(1.5), json(1ULL << 40), json("8"), json(nullptr),
                            json(json::array({8})), json(18446744073709551615ULL)}) {
    Recorded file("snapkv");
    file.params("kvf_max7")["w"] = value;
    EXPECT_THAT(error_of(file.write()),
                AllOf(HasSubstr("verify_policy_copy"), HasSubstr("'kvf_max7'"), HasSubstr("'w'")))
        << value;
  }
  Recorded file("snapkv");
  file.params("kvp_r70")["form"] = "kvpres";
  EXPECT_THAT(error_of(file.write()), AllOf(HasSubstr("'kvp_r70'"), HasSubstr("mean 'kvpress'")));
}

TEST(VerifyPolicy, RefusesListsThatAreNone) {
  Recorded file("snapkv");
  file.tensor("kvf_avg5.kept").index({0, 1, 4}).fill_(-1);
  EXPECT_THAT(error_of(file.write()), AllOf(HasSubstr("kvf_avg5.kept"), HasSubstr("-1 before")));
  file.tensor("kvf_avg5.kept").index({0, 1, 4}).fill_(120);
  EXPECT_THAT(error_of(file.write()), AllOf(HasSubstr("kvf_avg5.kept"), HasSubstr("-1..119")));
}

TEST(VerifyPolicy, RefusesDamagedLists) {
  Recorded file("snapkv");
  EXPECT_THAT(error_of(file.write_cases("[")), HasSubstr("'cases'"));
  EXPECT_THAT(error_of(file.write_cases("[]")), HasSubstr("'cases'"));
  EXPECT_THAT(error_of(file.write_cases("[{\"name\": 3, \"params\": {}}]")), HasSubstr("'name'"));
  const std::string twice = R"({"name": "a", "params": {"form": "kvpress"}})";
  EXPECT_THAT(error_of(file.write_cases("[" + twice + "," + twice + "]")), HasSubstr("twice"));
  const std::string deep(100000, '[');
  const std::string shut(100000, ']');
  EXPECT_THAT(
      error_of(file.write_cases(R"([{"name": "a", "params": {"w": )" + deep + shut + "}}]")),
      HasSubstr("deep"));
  file.metadata["name"] = "snapk";
  EXPECT_THAT(error_of(file.write()), AllOf(HasSubstr("'snapk'"), HasSubstr("mean 'snapkv'")));
}

TEST(VerifyPolicy, CountsAsKvpressDoes) {
  EXPECT_EQ(verify::kvpress_tokens(100, 0.9), 9);
  EXPECT_EQ(verify::kvpress_tokens(5, 0.9), 0);
  EXPECT_EQ(verify::kvpress_tokens(100, 0.7), 30);
}

}  // namespace
}  // namespace kvscope
