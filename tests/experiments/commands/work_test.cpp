// `kvscope work`: what it says of a sweep that it cannot go on with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/base/text_file.h"
#include "experiments/sweep/frozen_points.h"
#include "tests/experiments/sweep/sweep_testing.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(Work, NamesThePluginThatASweepWasMadeWith) {
  const ResultsFolder folder("work_plugin");
  fs::create_directories(folder.path());
  const PointList list = points_of(
      tiny_model() + std::vector<std::string>{"policy=sliding_window", "budget.tokens=6"});
  FrozenPoints points{.root = data_root().string(),
                      .working_folder = folder.path().string(),
                      .command_line =
                          "kvscope run -m --plugin 'my parts/value_norm.so' "
                          "--plugin=/opt/other.so policy=loud_values"};
  for (const Point& point : list.points) points.points.push_back(frozen(point));
  const fs::path file = frozen_points_file(folder.path());
  write_frozen_points(file, points);
  std::string text = text_of_file(file).value_or("");
  const size_t score = text.find("\"recency\"");
  ASSERT_NE(score, text.npos);
  text.replace(score, std::string("\"recency\"").size(), "\"value_norm\"");
  std::ofstream(file) << text;
  const fs::path before = fs::current_path();
  const Answer refused = answer({"work", folder.path().string()});
  const Answer half = answer({"work", folder.path().string(), "--plugin", "/opt/other.so"});
  fs::current_path(before);
  EXPECT_EQ(refused.exit_code, 2) << refused.err;
  EXPECT_THAT(refused.err,
              testing::AllOf(HasSubstr("unknown component 'value_norm'"),
                             HasSubstr("kvscope work " + folder.path().string() + " --plugin '" +
                                       folder.path().string() +
                                       "/my parts/value_norm.so' --plugin /opt/other.so")));
  EXPECT_NE(half.exit_code, 0) << "there is no such library";
}

}  // namespace
}  // namespace kvscope
