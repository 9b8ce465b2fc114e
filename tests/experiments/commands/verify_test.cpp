#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "test_paths.h"
#include "tests/support/program_answer.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string golden(const std::string& name) {
  return std::string(kSourceDir) + "/tests/golden/" + name;
}

std::string damaged() {
  const auto file = test_file("damaged.safetensors");
  std::ofstream(file) << "no checkpoint";
  return file.string();
}

TEST(VerifyCommand, GoesOnAfterAFileThatCannotBeJudgedAndSumsUp) {
  const Answer said = answer({"verify", damaged(), golden("policies/knorm.safetensors")});
  EXPECT_EQ(said.exit_code, 3);
  EXPECT_THAT(said.err, AllOf(HasSubstr("error: "), HasSubstr("damaged.safetensors")));
  EXPECT_THAT(said.out, AllOf(HasSubstr("knorm.safetensors"), HasSubstr("ok"),
                              HasSubstr("1 file could not be judged")));
}

TEST(VerifyCommand, JsonHasALinePerFile) {
  const Answer said = answer({"verify", "--json", damaged(), golden("policies/knorm.safetensors")});
  EXPECT_EQ(said.exit_code, 3);
  std::istringstream stream(said.out);
  std::string line;
  ASSERT_TRUE(std::getline(stream, line));
  const json first = json::parse(line);
  EXPECT_FALSE(first.at("ok"));
  EXPECT_THAT(first.at("error"), HasSubstr("damaged.safetensors"));
  ASSERT_TRUE(std::getline(stream, line));
  const json second = json::parse(line);
  EXPECT_TRUE(second.at("ok"));
  EXPECT_TRUE(second.at("error").is_null());
  EXPECT_FALSE(second.at("groups").empty());
  EXPECT_TRUE(second.at("groups")[0].at("ok"));
  EXPECT_FALSE(std::getline(stream, line));
}

}  // namespace
}  // namespace kvscope
