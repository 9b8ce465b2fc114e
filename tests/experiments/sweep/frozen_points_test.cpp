#include "experiments/sweep/frozen_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/path.h"
#include "experiments/sweep/sweep_status.h"
#include "sweep_testing.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

FrozenPoints frozen_of(const PointList& list) {
  FrozenPoints all{.root = data_root().string(),
                   .working_folder = fs::current_path().string(),
                   .command_line = "kvscope run -m"};
  for (const Point& point : list.points) all.points.push_back(frozen(point));
  return all;
}

std::vector<Point> thawed_of(const fs::path& file) {
  return thawed(read_frozen_points(file), std::make_shared<ComponentRegistry>()).points;
}

TEST(FrozenPoints, ThawToTheSamePoints) {
  const fs::path file = test_file("points.json");
  const PointList list =
      points_of(tiny_model() + std::vector<std::string>{"policy=full,snapkv,h2o", "budget.tokens=6",
                                                        "policy.score.window=4,8", "gen.cfg=1.5",
                                                        "metrics.list=[psnr]"});
  ASSERT_EQ(list.points.size(), 4u);
  write_frozen_points(file, frozen_of(list));
  const std::vector<Point> again = thawed_of(file);
  ASSERT_EQ(again.size(), list.points.size());
  for (size_t i = 0; i < again.size(); ++i) {
    EXPECT_EQ(again[i].hash, list.points[i].hash);
    EXPECT_EQ(again[i].setting_hash, list.points[i].setting_hash);
    EXPECT_EQ(again[i].reference_hash, list.points[i].reference_hash);
    EXPECT_EQ(again[i].labels, list.points[i].labels);
    EXPECT_EQ(again[i].overrides, list.points[i].overrides);
    EXPECT_EQ(canonical_json(again[i].config), canonical_json(list.points[i].config));
    const ConfigNode* model = again[i].config.find("model.weights");
    EXPECT_TRUE(from_command_line(model->origin()));  // paths and messages depend on it
    EXPECT_EQ(again[i].images(), 5);
  }
  fs::remove(file);
}

TEST(FrozenPoints, ModelsWithFilesThawToo) {
  const fs::path file = test_file("points.json");
  const PointList list = points_of({"gen.images=2", "policy=full"});
  write_frozen_points(file, frozen_of(list));
  EXPECT_EQ(thawed_of(file).front().hash, list.points.front().hash);
  fs::remove(file);
}

TEST(FrozenPoints, OtherPromptsAreRefused) {
  const fs::path prompts = test_file("prompts.txt");
  const fs::path file = test_file("points.json");
  std::ofstream(prompts) << "a red circle\na blue square\n";
  const std::vector<std::string> overrides =
      tiny_model() + std::vector<std::string>{"prompts.source=file",
                                              "prompts.file=" + prompts.string(), "gen.images=2"};
  write_frozen_points(file, frozen_of(points_of(overrides)));
  EXPECT_EQ(thawed_of(file).size(), 1u);
  std::ofstream(prompts) << "a red circle\na green square\n";
  try {
    thawed_of(file);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), testing::HasSubstr("kvscope run -m"));
  }
  fs::remove(prompts);
  fs::remove(file);
}

TEST(FrozenPoints, DamageIsNamed) {
  const fs::path file = test_file("points.json");
  write_frozen_points(file, frozen_of(points_of(tiny_model())));
  std::ifstream stream(file);
  const std::string whole((std::istreambuf_iterator<char>(stream)), {});
  const auto refused = [&](const std::string& text) {
    std::ofstream(file) << text;
    try {
      read_frozen_points(file);
      return false;
    } catch (const Error& error) {
      return error.kind() == ErrorKind::kInput &&
             std::string(error.what()).find(file.string()) != std::string::npos;
    }
  };
  EXPECT_FALSE(refused(whole));
  for (const char* text : {"", "[]", "{}", R"({"schema": "kvscope.frozen_points"})"}) {
    EXPECT_TRUE(refused(text)) << text;
  }
  EXPECT_TRUE(refused(whole.substr(0, whole.size() / 2)));
  for (const auto& [text, why] :
       {std::pair(std::string("{}"), "is no kvscope.frozen_points of version 1"),
        std::pair(std::string(R"({"schema": "kvscope.frozen_points", "schema_version": 1})"),
                  "no key 'root'")}) {
    std::ofstream(file) << text;
    try {
      static_cast<void>(read_frozen_points(file));
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()), file.string() + ": " + why);
    }
  }
  std::string other_hash = whole;
  other_hash.replace(other_hash.find("\"hash\":\"") + 8, 12, "../../../etc");
  EXPECT_TRUE(refused(other_hash));
  std::string far_source = whole;
  far_source.replace(far_source.find("\"o\":[") + 5, 1, "9999");
  EXPECT_TRUE(refused(far_source));
  fs::remove(file);
}

TEST(SweepStatus, SaysWhatIsThereAndWhatIsMissing) {
  const ResultsFolder folder("status");
  EXPECT_THROW(sweep_status(folder.path()), Error);
  const std::vector<std::string> overrides =
      tiny_model() + std::vector<std::string>{"policy=full,h2o", "budget.tokens=6"};
  ASSERT_THAT(run_sweep(sweep_of(overrides, folder)).failures, testing::IsEmpty());
  SweepStatus status = sweep_status(folder.path());
  EXPECT_TRUE(status.has_ended());
  EXPECT_EQ(status.count(PointState::kDone), 2);
  EXPECT_EQ(status.images_asked(), 10);
  EXPECT_EQ(status.images_there(), 10);
  EXPECT_EQ(status.command_line, "kvscope run -m");
  // A run that asks for more, and has not begun.
  FrozenPoints more = frozen_of(
      points_of(tiny_model() +
                std::vector<std::string>{"policy=h2o,snapkv", "budget.tokens=6", "gen.images=7"}));
  record_frozen_points(folder.path(), std::move(more));
  status = sweep_status(folder.path());
  EXPECT_FALSE(status.has_ended());
  EXPECT_EQ(status.points.size(), 3u);
  EXPECT_EQ(status.count(PointState::kDone), 1);
  EXPECT_EQ(status.count(PointState::kPart), 1);
  EXPECT_EQ(status.count(PointState::kMissing), 1);
  EXPECT_EQ(status.images_asked(), 5 + 7 + 7);
  // Without what it froze, the points that lie there.
  fs::remove(frozen_points_file(folder.path()));
  EXPECT_EQ(sweep_status(folder.path()).points.size(), 2u);
}

}  // namespace
}  // namespace kvscope
