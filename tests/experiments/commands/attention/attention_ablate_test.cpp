#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "core/image/png.h"
#include "experiments/results/summary.h"
#include "tests/experiments/results/sample_sweep.h"
#include "tests/experiments/sweep/sweep_testing.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Words = std::vector<std::string>;

Words ablation(const fs::path& results, const Words& more) {
  return Words{"attention", "ablate"} + tiny_model() +
         Words{"gen.images=3", "threads=1", "hydra.sweep.dir=" + results.string()} + more;
}

/// Of the trained model's first two layers: hiding changes the images of a random one too little.
Words ablation_of_two_layers(const fs::path& results, const Words& more) {
  return Words{"attention",
               "ablate",
               "--over",
               "layer",
               "model.layers=2",
               "threads=1",
               "hydra.sweep.dir=" + results.string()} +
         more;
}

std::string text_of(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

int64_t points_in(const fs::path& results) {
  std::error_code none;
  const fs::directory_iterator points(results / "points", none);
  return none ? 0 : std::distance(points, fs::directory_iterator{});
}

/// The rows of the point of this policy, which hides `what` ("" for the full cache).
ResultFile result_that_hides(const fs::path& results, const std::string& what) {
  for (const PointSummary& one : summarise_sweep(results).points) {
    if (what.empty() ? one.point().full_cache
                     : one.point().label("policy") == "masked (" + what + ")") {
      return one.result;
    }
  }
  ADD_FAILURE() << "no point of " << what;
  return {};
}

TEST(AttentionAblateCommand, AHiddenLayerIsAPlainRunOfTheMaskedPolicy) {
  const fs::path results = fresh_folder("ablation") / "results";
  const Answer made = answer(ablation_of_two_layers(results, {"gen.images=3"}));
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("PSNR to the full cache, one layer hidden"));
  EXPECT_EQ(points_in(results), 3) << "two layers and the full cache";
  const fs::path plain = fresh_folder("plain") / "results";
  const Answer run = answer({"run", "model.layers=2", "gen.images=3", "policy=masked",
                             "hydra.run.dir=" + plain.string(), "policy.read.layers=[1]",
                             "policy.read.steps=all"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const std::string what = "read.layers=[1], read.steps=all";
  const ResultFile there = result_that_hides(plain, what);
  const ResultFile here = result_that_hides(results, what);
  ASSERT_EQ(here.rows.size(), 3);
  EXPECT_EQ(here.point.point_hash, there.point.point_hash);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(here.rows[i].token_sha256, there.rows[i].token_sha256);
    EXPECT_FALSE(std::isnan(here.rows[i].metrics["psnr"]));
  }
  EXPECT_NE(here.rows[0].token_sha256, result_that_hides(results, "").rows[0].token_sha256);
  const fs::path stem = results / "report" / "ablation_layer_psnr";
  EXPECT_THAT(text_of(stem.string() + ".csv"), testing::StartsWith("layer,PSNR (dB)"));
  EXPECT_TRUE(fs::exists(stem.string() + ".svg"));
  EXPECT_GT(read_png(stem.string() + ".png").image.width, 400);
}

TEST(AttentionAblateCommand, ASecondRunMakesNothingAndAnotherMetricNoImage) {
  const fs::path results = fresh_folder("twice") / "results";
  const Words words = ablation(results, {"--over", "head"});
  ASSERT_EQ(answer(words).exit_code, 0);
  const std::string first = text_of(results / "report" / "ablation_head_psnr.csv");
  const Answer second = answer(words);
  EXPECT_EQ(second.exit_code, 0);
  EXPECT_THAT(second.err, HasSubstr("all 3 points are done already; nothing to make"));
  EXPECT_EQ(text_of(results / "report" / "ablation_head_psnr.csv"), first);
  const Answer ssim = answer(words + Words{"--metric", "ssim"});
  EXPECT_EQ(ssim.exit_code, 0) << ssim.err;
  EXPECT_THAT(ssim.err, HasSubstr("nothing to make"));
  EXPECT_THAT(ssim.out, HasSubstr("difference to nothing hidden"));
  // A metric that the configuration leaves out is measured for this.
  const Answer memory_only = answer(words + Words{"metrics=none", "--metric", "shape_eval"});
  EXPECT_EQ(memory_only.exit_code, 0) << memory_only.err;
  EXPECT_THAT(memory_only.out, HasSubstr("ablation_head_shape_eval.csv"));
}

TEST(AttentionAblateCommand, GoesOnAfterCtrlCAndComesToTheSame) {
  const fs::path whole = fresh_folder("whole") / "results";
  const fs::path stopped = fresh_folder("stopped") / "results";
  const Words more = {"gen.images=8", "gen.batch=2"};
  ASSERT_EQ(answer(ablation_of_two_layers(whole, more)).exit_code, 0);
  std::jthread ctrl_c([&](const std::stop_token& ended) {
    while (!ended.stop_requested() && points_in(stopped) < 2) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (!ended.stop_requested()) kill(getpid(), SIGINT);
  });
  const Answer first = answer(ablation_of_two_layers(stopped, more));
  ctrl_c.request_stop();
  ASSERT_EQ(first.exit_code, 130) << first.err;
  EXPECT_THAT(first.err, HasSubstr("The same command goes on:\n  kvscope attention ablate"));
  EXPECT_FALSE(fs::exists(stopped / "report" / "ablation_layer_psnr.csv"));
  const Answer second = answer(ablation_of_two_layers(stopped, more));
  ASSERT_EQ(second.exit_code, 0) << second.err;
  const std::string csv = "report/ablation_layer_psnr.csv";
  EXPECT_EQ(text_of(stopped / csv), text_of(whole / csv));
}

TEST(AttentionAblateCommand, TwoAxesAreAGridAndARecordIsComparedWithIt) {
  const fs::path folder = fresh_folder("grid");
  const fs::path results = folder / "results";
  const fs::path record = folder / "attention.h5";
  ASSERT_EQ(answer(Words{"attention", "record"} + tiny_model() +
                   Words{"gen.images=3", "--out", record.string()})
                .exit_code,
            0);
  const Answer made =
      answer(ablation(results, {"--over", "layer,step", "--compare", record.string()}));
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(points_in(results), 2 * 3 + 1) << "the first scale has no history";
  EXPECT_THAT(made.out, testing::AllOf(HasSubstr("Spearman's rho"), HasSubstr("Z of ASI")));
  const fs::path stem = results / "report" / "ablation_layer_step_psnr";
  EXPECT_THAT(text_of(stem.string() + ".svg"), HasSubstr("step that sees no history"));
  const std::string csv = text_of(stem.string() + "_compared.csv");
  EXPECT_EQ(std::ranges::count(csv, '\n'), 1 + 2 * 3);
  EXPECT_THAT(csv, testing::StartsWith("layer,step,PSNR (dB),rank of loss,ASI"));
  EXPECT_THAT(text_of(stem.string() + "_correlations.csv"), HasSubstr("attention hidden"));
}

TEST(AttentionAblateCommand, WrongWordsAreRefusedBeforeAnythingIsWritten) {
  const fs::path folder = fresh_folder("wrong");
  const fs::path results = folder / "results";
  const fs::path other = folder / "other.h5";
  ASSERT_EQ(
      answer(Words{"attention", "record"} + tiny_model() +
             Words{"model.picture.schedule=[[1,1],[4,4]]", "gen.images=1", "--out", other.string()})
          .exit_code,
      0);
  const std::vector<std::pair<Words, const char*>> wrong = {
      {{}, "--over is required"},
      {{"--over", "layr"}, "layer"},
      {{"--over", "text"}, "a next-scale model has no condition tokens"},
      {{"--over", "layer", "--metric", "psmr"}, "psnr"},
      {{"--over", "layer", "-m"}, "leave -m out"},
      {{"--over", "layer", "policy=snapkv"}, "does not read 'policy'"},
      {{"--over", "layer", "budget.ratio=0.5"}, "does not read 'budget'"},
      {{"--over", "layer", "gen.imges=3"}, "gen.images"},
      {{"--over", "step", "--compare", other.string()}, "2 x 2 x 4; expected one of this model"},
      {{"--over", "layer", "--compare", (folder / "none.h5").string()}, "none.h5"}};
  for (const auto& [words, message] : wrong) {
    const Answer refused = answer(ablation(results, words));
    EXPECT_THAT(refused.exit_code, testing::AnyOf(2, 3)) << message;
    EXPECT_THAT(refused.err, HasSubstr(message));
    EXPECT_FALSE(fs::exists(results)) << message;
  }
}

}  // namespace
}  // namespace kvscope
