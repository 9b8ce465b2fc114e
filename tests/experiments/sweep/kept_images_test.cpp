// What has been made is not made again, and what is damaged is: kinds of both.
#include <fstream>
#include <functional>
#include <map>
#include <new>

#include "analysis/metrics/registry.h"
#include "core/base/atomic_file.h"
#include "core/base/out_of_memory.h"
#include "core/hdf5/file.h"
#include "core/image/png.h"
#include "experiments/results/summary.h"
#include "experiments/sweep/kept_point.h"
#include "experiments/sweep/run_point.h"
#include "sweep_testing.h"
#include "tests/experiments/results/result_checks.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::vector<std::string> two_policies(const std::vector<std::string>& more) {
  return tiny_model() + std::vector<std::string>{"policy=full,sliding_window", "budget.tokens=6"} +
         more;
}

/// Tokens by prompt and seed.
std::map<std::pair<std::string, uint64_t>, std::string> tokens_of(const ResultFile& file) {
  std::map<std::pair<std::string, uint64_t>, std::string> tokens;
  for (const ImageRow& row : file.rows) tokens[{row.prompt, row.seed}] = row.token_sha256;
  return tokens;
}

/// What a run says on standard error.
struct Told {
  SweepOutcome outcome;
  std::string said;
};
Told run_and_listen(const Sweep& sweep) {
  testing::internal::CaptureStderr();
  Told told;
  told.outcome = run_sweep(sweep);
  told.said = testing::internal::GetCapturedStderr();
  return told;
}

fs::path folder_of(const Point& point, const ResultsFolder& folder) {
  return point_folder(folder.path() / "points", point.hash);
}

TEST(KeptImages, OtherBatchesAndNumbersOfImagesMakeOnlyWhatIsNotThere) {
  const ResultsFolder folder("numbers");
  const auto made = [&](const std::vector<std::string>& more) {
    const SweepOutcome outcome = run_sweep(sweep_of(two_policies(more), folder));
    EXPECT_THAT(outcome.failures, testing::IsEmpty());
    EXPECT_EQ(outcome.points_done, 2);
    return outcome.images_made;
  };
  EXPECT_EQ(made({"gen.images=3"}), 6);
  EXPECT_EQ(made({"gen.images=3", "gen.batch=1"}), 0);
  EXPECT_EQ(made({"gen.images=3", "gen.batch=auto"}), 0);
  EXPECT_EQ(made({"gen.images=3", "metrics=none"}), 0);
  EXPECT_EQ(made({"gen.images=5"}), 4);
  EXPECT_EQ(made({"gen.images=4"}), 0);
  EXPECT_EQ(summarise_sweep(folder.path()).points.at(0).result.rows.size(), 4);
  EXPECT_EQ(made({"gen.images=3", "gen.replicas=2"}), 6) << "the second of each of three";
  EXPECT_EQ(made({"gen.images=2", "gen.replicas=3"}), 4);
  EXPECT_EQ(made({"gen.images=5"}), 0);
  const SweepSummary summary = summarise_sweep(folder.path());
  for (const PointSummary& point : summary.points) {
    EXPECT_EQ(point.result.rows.size(), 5);
    EXPECT_EQ(point.unused_rows.size(), 5);
  }
  EXPECT_THAT(summary.notes, testing::Contains(HasSubstr("5 of 10 images")));

  const ResultsFolder fresh("numbers_fresh");
  const Sweep at_once = sweep_of(two_policies({"gen.images=5", "gen.replicas=3"}), fresh);
  run_sweep(at_once);
  for (const Point& point : at_once.list.points) {
    const auto all = tokens_of(results_of(point, fresh));
    for (const auto& [image, tokens] : tokens_of(results_of(point, folder))) {
      EXPECT_EQ(all.at(image), tokens);
    }
  }
}

TEST(KeptImages, AListOfPromptsThatGrowsOrChangesKeepsTheOthers) {
  const ResultsFolder folder("prompts");
  const fs::path file = fs::path(testing::TempDir()) / "kvscope_prompts.txt";
  const auto made = [&](const std::string& text) {
    write_file_atomically(file, text);
    return run_sweep(sweep_of(two_policies({"prompts=file", "prompts.file=" + file.string(),
                                            "gen.images=null"}),
                              folder))
        .images_made;
  };
  EXPECT_EQ(made("a red circle\na blue square\n"), 4);
  EXPECT_EQ(made("a red circle\na blue square\na green circle\n"), 2);
  EXPECT_EQ(made("a red circle\na yellow square\na green circle\n"), 2);
  EXPECT_EQ(made("a red circle\na blue square\n"), 0);
  fs::remove(file);
}

/// Gives a finished point the name and the form that it had when the batch, the numbers of images
/// and the metrics were part of its hash.
void age(const Point& point, const fs::path& points) {
  const fs::path now = point_folder(points, point.hash);
  ResultFile result = read_result(now / "result.h5");
  const std::string former = point.former_hash(point.config);
  result.point.point_hash = former;
  for (auto& [key, text] : result.point.labels) {
    if (key == "reference") text = "0123456789ab";
  }
  const fs::path then = point_folder(points, former);
  fs::rename(now, then);
  write_result(then / "result.h5", result);
  unseal(then / "result.h5");
  hdf5::File opened = hdf5::File::open(then / "result.h5", hdf5::File::Access::kAppend);
  opened.root().set_attribute("schema_version", int64_t{2});
}

TEST(KeptImages, APointUnderItsFormerHashIsUsed) {
  const ResultsFolder folder("former");
  const Sweep before = sweep_of(two_policies({"gen.images=3", "gen.batch=2"}), folder);
  ASSERT_EQ(run_sweep(before).images_made, 6);
  for (const Point& point : before.list.points) age(point, folder.path() / "points");
  EXPECT_TRUE(summarise_sweep(folder.path()).points.at(1).metric(metric_named("psnr")).present());
  const Told told =
      run_and_listen(sweep_of(two_policies({"gen.images=4", "gen.batch=auto"}), folder));
  EXPECT_EQ(told.outcome.images_made, 2);
  EXPECT_THAT(told.said, HasSubstr("3 images of "));
  const SweepSummary summary = summarise_sweep(folder.path());
  ASSERT_EQ(summary.points.size(), 2);
  for (const PointSummary& point : summary.points) EXPECT_EQ(point.result.rows.size(), 4);
}

struct Harm {
  const char* what;
  std::function<void(const fs::path& folder)> act;
  int64_t made_again;
};

void cut(const fs::path& file, uintmax_t bytes) {
  fs::resize_file(file, bytes);
}

void replace_by_folder(const fs::path& path) {
  fs::remove_all(path);
  fs::create_directories(path / "inside");
}

const std::vector<Harm>& harms() {
  static const std::vector<Harm> all = {
      {"result.h5 emptied", [](const fs::path& f) { cut(f / "result.h5", 0); }, 3},
      {"result.h5 cut", [](const fs::path& f) { cut(f / "result.h5", 9000); }, 3},
      {"result.h5 a folder", [](const fs::path& f) { replace_by_folder(f / "result.h5"); }, 3},
      {"result.h5 a dead link",
       [](const fs::path& f) {
         fs::remove(f / "result.h5");
         fs::create_symlink("nowhere", f / "result.h5");
       },
       3},
      {"a byte of result.h5",
       [](const fs::path& f) {
         std::fstream stream(f / "result.h5", std::ios::in | std::ios::out | std::ios::binary);
         stream.seekp(7000);
         stream << '?';
       },
       3},
      {"result.h5.part emptied",
       [](const fs::path& f) {
         fs::rename(f / "result.h5", f / "result.h5.part");
         cut(f / "result.h5.part", 0);
       },
       3},
      {"result.h5.part cut",
       [](const fs::path& f) {
         fs::rename(f / "result.h5", f / "result.h5.part");
         cut(f / "result.h5.part", 5000);
       },
       3},
      {"a part beside a good result",
       [](const fs::path& f) { std::ofstream(f / "result.h5.part") << "?"; }, 0},
      {"an image cut", [](const fs::path& f) { cut(f / "images" / "000001.png", 50); }, 1},
      {"no results, a folder in an image's place",
       [](const fs::path& f) {
         fs::remove(f / "result.h5");
         fs::remove(f / "images" / "000001.png");
         fs::create_directories(f / "images" / "000001.png");
       },
       3},
      {"an image gone", [](const fs::path& f) { fs::remove(f / "images" / "000002.png"); }, 1},
      {"an image a folder", [](const fs::path& f) { replace_by_folder(f / "images/000000.png"); },
       1},
      {"images a file",
       [](const fs::path& f) {
         fs::remove_all(f / "images");
         std::ofstream(f / "images") << "?";
       },
       3},
      {"the point's folder a file",
       [](const fs::path& f) {
         fs::remove_all(f);
         std::ofstream(f) << "?";
       },
       3},
      {"config.yaml and .lease folders, nothing finished",
       [](const fs::path& f) {
         fs::remove(f / "result.h5");
         replace_by_folder(f / "config.yaml");
         replace_by_folder(f / ".lease");
       },
       3},
      {"another point's result",
       [](const fs::path& f) {
         for (const auto& other : fs::directory_iterator(f.parent_path())) {
           if (other.path() == f || !fs::exists(other.path() / "result.h5")) continue;
           fs::copy_file(other.path() / "result.h5", f / "result.h5",
                         fs::copy_options::overwrite_existing);
         }
       },
       3}};
  return all;
}

TEST(KeptImages, ADamagedPointIsSetAsideAndMadeAgainAndNothingElseIs) {
  for (const char* workers : {"workers=1", "workers=2"}) {
    for (const Harm& harm : harms()) {
      const ResultsFolder folder("harm");
      const Sweep sweep = sweep_of(two_policies({"gen.images=3", "threads=1", workers}), folder);
      ASSERT_EQ(run_sweep(sweep).images_made, 6);
      const Point& point = sweep.list.points.back();
      const auto before = tokens_of(results_of(point, folder));
      harm.act(folder_of(point, folder));
      const Told told = run_and_listen(sweep);
      EXPECT_EQ(told.outcome.images_made, harm.made_again) << harm.what;
      EXPECT_EQ(told.outcome.points_done, 2) << harm.what << ": " << told.said;
      EXPECT_THAT(told.outcome.failures, testing::IsEmpty()) << harm.what;
      EXPECT_EQ(tokens_of(results_of(point, folder)), before) << harm.what;
      for (const Point& one : sweep.list.points) {
        EXPECT_TRUE(look_through(one, folder_of(one, folder)).is_done) << harm.what;
      }
      const bool gone = std::string(harm.what).ends_with("gone");
      const bool ignored = harm.made_again == 0;  // nobody needs the damaged file
      if (gone || ignored) continue;
      EXPECT_THAT(told.said, HasSubstr(".damaged")) << harm.what;
    }
  }
}

TEST(KeptImages, ADeadLinkInAPointsPlaceIsSetAside) {
  const ResultsFolder folder("link");
  const Sweep sweep = sweep_of(two_policies({"gen.images=2"}), folder);
  const fs::path place = folder_of(sweep.list.points.back(), folder);
  fs::create_directories(place.parent_path());
  fs::create_symlink("/proc/self/nowhere", place);
  EXPECT_EQ(run_sweep(sweep).points_done, 2);
}

/// A model in a machine that has memory for so many images at once.
class SmallMemory : public ImageModel {
 public:
  SmallMemory(ImageModel& model, int64_t most) : model_(model), most_(most) {}
  [[nodiscard]] const CacheGeometry& geometry() const override { return model_.geometry(); }
  [[nodiscard]] int64_t rows(int64_t images, const SamplingOptions& options) const override {
    return model_.rows(images, options);
  }
  GeneratedBatch generate(std::span<const std::string> prompts,
                          const SamplingOptions& options,
                          std::span<at::Generator> generators,
                          AttentionContext& context) override {
    GeneratedBatch batch = model_.generate(prompts, options, generators, context);
    if (std::ssize(prompts) > most_) throw std::bad_alloc();
    return batch;
  }

 private:
  ImageModel& model_;
  int64_t most_;
};

TEST(KeptImages, ABatchIsHalvedWhereMemoryRunsOutAndTheImagesAreTheSame) {
  const ResultsFolder folder("memory");
  const ResultsFolder ample("ample");
  const std::vector<std::string> words =
      tiny_model() + std::vector<std::string>{"policy=h2o", "budget.tokens=6", "gen.images=11"};
  const Sweep sweep = sweep_of(words + std::vector<std::string>{"gen.batch=auto"}, folder);
  const Point& point = sweep.list.points.front();
  const auto model = open_model(point.config.at("model"), data_root().string(), at::kCPU);
  const auto run = [&](const Point& of, int64_t most, std::vector<std::string>& said) {
    SmallMemory small(*model, most);
    fs::create_directories(folder_of(of, folder));
    return run_point(of, {.model = small,
                          .device = at::kCPU,
                          .points_folder = folder.path() / "points",
                          .manifest_json = "{}",
                          .images_made = [](int64_t) {},
                          .stop_asked = [] { return false; },
                          .may_write = [] { return true; },
                          .say = [&](const std::string& text) { said.push_back(text); }});
  };
  std::vector<std::string> said;
  EXPECT_TRUE(run(point, 3, said));
  EXPECT_THAT(said,
              testing::ElementsAre(HasSubstr("going on with 5"), HasSubstr("going on with 2")));
  ASSERT_EQ(run_sweep(sweep_of(words, ample)).images_made, 11);
  EXPECT_EQ(tokens_of(results_of(point, folder)), tokens_of(results_of(point, ample)));
  EXPECT_EQ(results_of(point, folder).rows.front().batch, 2);

  const Point fixed =
      points_of(words + std::vector<std::string>{"gen.batch=4", "gen.seed=1"}).points.front();
  EXPECT_THROW(run(fixed, 3, said), OutOfMemory);
  const Point other =
      points_of(words + std::vector<std::string>{"gen.batch=auto", "gen.seed=2"}).points.front();
  EXPECT_THROW(run(other, 0, said), OutOfMemory) << "one image is the least";
}

}  // namespace
}  // namespace kvscope
