#include "experiments/sweep/runner.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <map>
#include <thread>

#include "analysis/metrics/registry.h"
#include "core/base/error.h"
#include "core/image/png.h"
#include "experiments/results/summary.h"
#include "experiments/results/sweep_metrics.h"
#include "experiments/sweep/interrupt.h"
#include "experiments/sweep/kept_point.h"
#include "experiments/sweep/point_lease.h"
#include "experiments/sweep/progress.h"
#include "experiments/sweep/provenance.h"
#include "experiments/sweep/run_point.h"
#include "sweep_testing.h"
#include "test_paths.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> three_policies() {
  return tiny_model() +
         std::vector<std::string>{"policy=full,sliding_window,streaming_llm", "budget.tokens=6"};
}

/// Everything of a point that timing does not touch.
std::map<uint64_t, std::string> tokens_of(const ResultFile& file) {
  std::map<uint64_t, std::string> tokens;
  for (const ImageRow& row : file.rows) tokens[row.image_index] = row.token_sha256;
  return tokens;
}

TEST(Sweep, KeepsAndMeasuresWhatWasPlanned) {
  const ResultsFolder folder("measure");
  const Sweep sweep = sweep_of(three_policies(), folder);
  const SweepOutcome outcome = run_sweep(sweep);
  ASSERT_THAT(outcome.failures, testing::IsEmpty());
  EXPECT_EQ(outcome.images_made, 15);
  EXPECT_EQ(outcome.points_done, 3);
  for (const Point& point : sweep.list.points) {
    const ResultFile file = results_of(point, folder);
    ASSERT_EQ(file.rows.size(), 5);
    EXPECT_TRUE(file.finished);
    EXPECT_EQ(file.point.full_cache, point.full_cache);
    EXPECT_EQ(file.point.kept_tokens, point.full_cache ? 14 : 6);
    for (const ImageRow& row : file.rows) {
      EXPECT_EQ(row.kv_live_bytes, row.kv_planned_bytes);
      EXPECT_EQ(row.kv_planned_bytes, static_cast<int64_t>(file.point.kept_tokens) * 2 * 2 * 2 *
                                          16 * 4 * 2);  // rows, layers, heads, channels, f32, K V
      // The uncut step of one layer, 9 tokens of the third scale or 16 of the last, is on top.
      const int64_t token = 2 * 2 * 16 * 4 * 2;
      const int64_t live = static_cast<int64_t>(file.point.kept_tokens) * 2 * token;
      EXPECT_EQ(row.kv_peak_bytes, live + 16 * token);
      EXPECT_EQ(row.kv_peak_planned_bytes, row.kv_peak_bytes);
      EXPECT_EQ(row.allocator_planned_bytes, row.kv_allocated_bytes + 16 * token);
      EXPECT_GT(row.allocator_peak_bytes, row.allocator_planned_bytes);
      EXPECT_TRUE(std::isnan(row.device_peak_bytes));
      EXPECT_EQ(row.packed_tokens.size(), 15);  // 30 tokens of 4 bits
      EXPECT_EQ(row.step_ms.size(), 4);
      EXPECT_EQ(std::isnan(row.metrics["psnr"]), point.full_cache);
      EXPECT_FALSE(std::isnan(row.metrics["shape_eval"]));
      const fs::path png_path =
          image_path(point_folder(folder.path() / "points", point.hash), row.image_index);
      EXPECT_EQ(read_png(png_path).image.height, 16);
    }
  }
  EXPECT_TRUE(fs::exists(folder.path() / "manifest.json"));
  EXPECT_EQ(run_sweep(sweep).images_made, 0);
}

TEST(Sweep, AMetricThatIsAskedForIsAColumnAndSaysWhyItIsEmpty) {
  const ResultsFolder folder("asked");
  const Sweep sweep =
      sweep_of(tiny_model() + std::vector<std::string>{"policy=full,sliding_window",
                                                       "budget.tokens=6", "metrics=ms_ssim"},
               folder);
  ASSERT_THAT(run_sweep(sweep).failures, testing::IsEmpty());
  const SweepSummary summary = summarise_sweep(folder.path());
  const Metric& asked = metric_named("ms_ssim");
  EXPECT_THAT(shown_metrics(summary), testing::Contains(testing::Field(&Metric::name, asked.name)));
  EXPECT_EQ(summary.points.at(0).metric(asked).missing, "the reference itself");
  EXPECT_EQ(summary.points.at(1).metric(asked).missing, asked.undefined);  // 16 x 16 pixels
  EXPECT_TRUE(summary.points.at(1).metric(metric_named("psnr")).present());
}

TEST(Sweep, TiedRowsAndOtherScopesRunAsPlanned) {
  const ResultsFolder folder("tied");
  const Sweep sweep = sweep_of(
      tiny_model() + std::vector<std::string>{"policy=snapkv,scalekv", "budget.tokens=6",
                                              "budget.cfg_rows=separate,tied", "gen.images=2",
                                              "budget.scope=model,step", "metrics=none"},
      folder);
  EXPECT_EQ(sweep.list.points.size(), 8);
  const SweepOutcome outcome = run_sweep(sweep);
  EXPECT_THAT(outcome.failures, testing::IsEmpty());
  EXPECT_EQ(outcome.points_done, 8);
}

TEST(Sweep, LayersCutTogetherDrawTheSameAndWaitInMemory) {
  const ResultsFolder folder("cuts");
  const Sweep sweep = sweep_of(
      tiny_model() + std::vector<std::string>{"policy=h2o", "budget.tokens=6", "metrics=none",
                                              "gen.cuts=per_layer,per_step"},
      folder);
  ASSERT_EQ(sweep.list.points.size(), 2);
  ASSERT_THAT(run_sweep(sweep).failures, testing::IsEmpty());
  const ResultFile each = results_of(sweep.list.points[0], folder);
  const ResultFile together = results_of(sweep.list.points[1], folder);
  EXPECT_EQ(tokens_of(each), tokens_of(together));
  const int64_t token = 2 * 2 * 16 * 4 * 2;  // a layer's: rows, heads, channels, f32, K V
  // The third scale, 9 tokens, of both layers waits beside that of the second; the cache holds the
  // five tokens of the scales before. Otherwise the last scale of one layer is the most.
  EXPECT_EQ(together.rows.front().kv_peak_bytes, (2 * 6 + 3 * 9) * token);
  EXPECT_EQ(each.rows.front().kv_peak_bytes, (2 * 6 + 16) * token);
  EXPECT_EQ(together.rows.front().kv_live_bytes, each.rows.front().kv_live_bytes);
}

TEST(Sweep, TokensDoNotDependOnTheBatch) {
  std::vector<std::map<uint64_t, std::string>> tokens;
  for (const char* batch : {"gen.batch=1", "gen.batch=3", "gen.batch=5"}) {
    const ResultsFolder folder("batch");
    const Sweep sweep = sweep_of(
        tiny_model() + std::vector<std::string>{batch, "policy=streaming_llm", "budget.tokens=6"},
        folder);
    ASSERT_THAT(run_sweep(sweep).failures, testing::IsEmpty());
    tokens.push_back(tokens_of(results_of(sweep.list.points.front(), folder)));
  }
  EXPECT_EQ(tokens[0], tokens[1]);
  EXPECT_EQ(tokens[0], tokens[2]);
}

TEST(Sweep, WorkersMakeWhatOneProcessMakes) {
  const ResultsFolder alone("alone");
  const ResultsFolder shared("shared");
  const std::vector<std::string> overrides =
      tiny_model() + std::vector<std::string>{"policy=streaming_llm,snapkv,h2o,full",
                                              "budget.tokens=6,9", "threads=1"};
  const Sweep one = sweep_of(overrides, alone);
  const Sweep three = sweep_of(overrides + std::vector<std::string>{"workers=3"}, shared);
  ASSERT_EQ(run_sweep(one).points_done, 7);
  const SweepOutcome outcome = run_sweep(three);
  EXPECT_THAT(outcome.failures, testing::IsEmpty());
  EXPECT_EQ(outcome.points_done, 7);
  EXPECT_EQ(outcome.images_made, 35);
  EXPECT_FALSE(outcome.interrupted);
  ASSERT_EQ(three.list.points.size(), one.list.points.size());
  for (size_t i = 0; i < one.list.points.size(); ++i) {
    EXPECT_EQ(three.list.points[i].hash, one.list.points[i].hash);  // a worker is no setting
    const ResultFile a = results_of(one.list.points[i], alone);
    const ResultFile b = results_of(three.list.points[i], shared);
    EXPECT_EQ(tokens_of(a), tokens_of(b));
    ASSERT_EQ(b.rows.size(), 5u);
    for (const ImageRow& row : b.rows) {
      // Measured at once, as full caches come first whatever the order of the sweep.
      EXPECT_EQ(std::isnan(row.metrics["psnr"]), b.point.full_cache);
    }
  }
  EXPECT_EQ(run_sweep(three).images_made, 0);
}

TEST(Sweep, GoesOnAfterKillMinus9) {
  const ResultsFolder whole("whole");
  const ResultsFolder killed("killed");
  const std::vector<std::string> overrides =
      three_policies() + std::vector<std::string>{"gen.images=24", "threads=1"};
  const Sweep sweep = sweep_of(overrides, killed);
  const fs::path program = fs::path(kBinaryDir) / "experiments" / "kvscope";
  if (!fs::exists(program)) GTEST_SKIP() << "the program is not built";
  std::vector<std::string> words = std::vector<std::string>{program.string(), "run", "-m"} +
                                   overrides + std::vector<std::string>{killed.override_text()};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int64_t kills = 0;
  for (int round = 0; round < 3; ++round) {
    const int64_t before = [&] {
      int64_t images = 0;
      for (const Point& point : sweep.list.points) {
        images += look_through(point, point_folder(killed.path() / "points", point.hash)).asked;
      }
      return images;
    }();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      setenv("KVSCOPE_CONFIGS", (fs::path(kSourceDir) / "configs").c_str(), 1);
      (void)freopen("/dev/null", "w", stdout);
      (void)freopen("/dev/null", "w", stderr);
      execv(argv[0], argv.data());
      _exit(127);
    }
    // Kill once something new was written: images appear before their rows.
    const auto image_files = [&] {
      int64_t count = 0;
      if (!fs::exists(killed.path())) return count;
      for (const auto& entry : fs::recursive_directory_iterator(
               killed.path(), fs::directory_options::skip_permission_denied)) {
        count += entry.path().extension() == ".png";
      }
      return count;
    };
    int status = 0;
    bool ended = false;
    for (int wait = 0; wait < 3000 && !ended; ++wait) {
      ended = waitpid(child, &status, WNOHANG) == child;
      bool progressed = false;
      try {
        progressed = image_files() > before + 2;
      } catch (const fs::filesystem_error&) {
        // a file was renamed away while looking
      }
      if (!ended && progressed) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (!ended) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      ++kills;
    }
  }
  EXPECT_GE(kills, 1);
  ASSERT_THAT(run_sweep(sweep).failures, testing::IsEmpty());
  const Sweep uninterrupted = sweep_of(overrides, whole);
  ASSERT_THAT(run_sweep(uninterrupted).failures, testing::IsEmpty());
  for (const Point& point : sweep.list.points) {
    const ResultFile a = results_of(point, killed);
    const ResultFile b = results_of(point, whole);
    ASSERT_EQ(a.rows.size(), 24);
    EXPECT_EQ(tokens_of(a), tokens_of(b));
    for (const ImageRow& row : a.rows) {
      const fs::path name = fs::path("points") / point.hash.substr(0, 12);
      EXPECT_EQ(read_png(image_path(killed.path() / name, row.image_index)).image,
                read_png(image_path(whole.path() / name, row.image_index)).image);
    }
  }
}

TEST(Sweep, AFolderThatCannotBeWrittenIsNamed) {
  const ResultsFolder folder("unwritable");
  Sweep sweep = sweep_of(three_policies(), folder);
  sweep.folder = "/proc/kvscope";
  try {
    run_sweep(sweep);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kEnvironment);
    EXPECT_THAT(error.what(), testing::HasSubstr("/proc/kvscope"));
  }
}

TEST(Sweep, ADamagedCheckpointLeavesNothingOnDisk) {
  const ResultsFolder folder("damaged");
  const fs::path weights = fs::path(testing::TempDir()) / "kvscope_damaged.safetensors";
  std::ofstream(weights) << "no tensors in here";
  for (const char* workers : {"workers=1", "workers=2"}) {
    const Sweep sweep = sweep_of(
        tiny_model() + std::vector<std::string>{"model.weights=" + weights.string(), workers},
        folder);
    try {
      run_sweep(sweep);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput) << error.what();
    }
    EXPECT_FALSE(fs::exists(folder.path()));
  }
  fs::remove(weights);
}

TEST(Sweep, APointThatAnotherProgramMakesIsWaitedForAndTakenOverWhenItIsLeft) {
  const ResultsFolder folder("busy");
  const Sweep sweep = sweep_of(three_policies(), folder);
  auto lease =
      PointLease::try_take(point_folder(folder.path() / "points", sweep.list.points[1].hash));
  ASSERT_TRUE(lease);
  std::jthread other([&] {
    // Not by reading the file: HDF5 is at work on it.
    const fs::path done = point_folder(folder.path() / "points", sweep.list.points[2].hash);
    while (!fs::exists(done / "result.h5")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    lease.reset();  // the other program ends without having made it
  });
  const SweepOutcome outcome = run_sweep(sweep);
  EXPECT_THAT(outcome.failures, testing::IsEmpty());
  EXPECT_EQ(outcome.points_done, 3);
  EXPECT_EQ(outcome.images_made, 15);
  EXPECT_FALSE(outcome.interrupted);
}

TEST(Sweep, TwoProgramsShareAFolderAndMakeEachPointOnce) {
  const ResultsFolder folder("two");
  const std::vector<std::string> overrides =
      tiny_model() + std::vector<std::string>{"policy=streaming_llm,snapkv,h2o,full",
                                              "budget.tokens=6,9", "threads=1"};
  const Sweep sweep = sweep_of(overrides, folder);
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const SweepOutcome outcome = run_sweep(sweep);
    const int64_t numbers[] = {outcome.images_made, outcome.points_done};
    _exit(write(pipe_ends[1], numbers, sizeof(numbers)) == sizeof(numbers) ? 0 : 1);
  }
  const SweepOutcome here = run_sweep(sweep);
  int status = 0;
  waitpid(child, &status, 0);
  int64_t there[2] = {};
  ASSERT_EQ(read(pipe_ends[0], there, sizeof(there)), static_cast<ssize_t>(sizeof(there)));
  EXPECT_EQ(here.points_done, 7);
  EXPECT_EQ(there[1], 7);
  EXPECT_EQ(here.images_made + there[0], 35) << "no image is made twice";
  for (const Point& point : sweep.list.points) EXPECT_EQ(results_of(point, folder).rows.size(), 5u);
}

TEST(Interrupt, TheFirstSignalAsksAndSaysWhatASecondOneDoes) {
  const InterruptGuard guard("the batch is finished first");
  EXPECT_FALSE(guard.requested());
  testing::internal::CaptureStderr();
  raise(SIGINT);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "the batch is finished first\n");
  EXPECT_TRUE(guard.requested());
}

TEST(Interrupt, ChildrenThatHearTheSameSignalSayNothing) {
  const InterruptGuard guard("the batch is finished first");
  testing::internal::CaptureStderr();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    raise(SIGINT);
    _exit(guard.requested() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Progress, DurationsReadWell) {
  EXPECT_EQ(duration_text(4.4), "4 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(7500), "2 h 05 min");
}

TEST(Provenance, FindsTheCommitWithoutGit) {
  const ResultsFolder folder("commit");
  fs::create_directories(folder.path() / ".git" / "refs" / "heads");
  EXPECT_EQ(git_commit(folder.path()), "");
  std::ofstream(folder.path() / ".git" / "HEAD") << "ref: refs/heads/main\n";
  std::ofstream(folder.path() / ".git" / "packed-refs") << "# pack\nabc123 refs/heads/main\n";
  EXPECT_EQ(git_commit(folder.path()), "abc123");
  std::ofstream(folder.path() / ".git" / "refs" / "heads" / "main") << "def456\n";
  EXPECT_EQ(git_commit(folder.path()), "def456");
}

}  // namespace
}  // namespace kvscope
