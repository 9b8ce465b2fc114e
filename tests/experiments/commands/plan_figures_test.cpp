#include "experiments/commands/plan_figures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fstream>

#include "tests/experiments/results/sample_sweep.h"
#include "tests/experiments/sweep/sweep_testing.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Words = std::vector<std::string>;

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> lines;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

TEST(PlanFigures, ACurveHasTheBytesOfThePlans) {
  const fs::path folder = fresh_folder("curve");
  const Words words =
      tiny_model() + Words{"policy=full,sliding_window", "budget.tokens=6", "gen.batch=2"};
  const std::string csv = (folder / "curve.csv").string();
  const std::string svg = (folder / "curve.svg").string();
  const Answer made = answer(Words{"plan", "-m"} + words + Words{"--curve", csv, "--curve", svg});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_TRUE(fs::exists(svg));
  const std::vector<std::string> lines = lines_of(csv);
  const PointList list = points_of(words, PointIdentity::kNone);
  ASSERT_EQ(list.points.size(), 2);
  ASSERT_EQ(lines.size(), 5u) << "four steps";
  for (size_t step = 0; step < 4; ++step) {
    std::vector<int64_t> expected = {static_cast<int64_t>(step)};
    for (const Point& point : list.points) {
      expected.push_back(point.plan.live_bytes(static_cast<int64_t>(step), 4));
    }
    EXPECT_EQ(lines[step + 1], fmt::format("{}", fmt::join(expected, ",")));
  }
}

TEST(PlanFigures, AMapIsOfOnePointAndAFileOfAKnownKind) {
  const fs::path folder = fresh_folder("map");
  const std::string out = (folder / "map.svg").string();
  const Answer two = answer(Words{"plan", "-m"} + tiny_model() +
                            Words{"policy=full,sliding_window", "budget.tokens=6", "--map", out});
  EXPECT_EQ(two.exit_code, 2);
  EXPECT_THAT(two.err, HasSubstr("--map draws one point, and there are 2"));
  const Answer kind = answer(Words{"plan"} + tiny_model() + Words{"--map", "map.jpg"});
  EXPECT_EQ(kind.exit_code, 2);
  EXPECT_THAT(kind.err, HasSubstr("--map map.jpg"));
  const Answer nowhere = answer(Words{"plan"} + tiny_model() + Words{"--curve", "/proc/no/a.svg"});
  EXPECT_EQ(nowhere.exit_code, 3);
}

}  // namespace
}  // namespace kvscope
