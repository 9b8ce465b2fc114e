#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "analysis/attention/attention_file.h"
#include "tests/experiments/results/sample_sweep.h"
#include "tests/experiments/sweep/sweep_testing.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Words = std::vector<std::string>;

Words recording(const fs::path& out, const Words& more = {}) {
  return Words{"attention", "record"} + tiny_model() +
         Words{"policy=h2o", "budget.tokens=6", "gen.images=40", "gen.batch=2",    "--out",
               out.string(), "--raw",           "1:0",           "gen.replicas=1", "--query-maps"} +
         more;
}

/// Runs the program and sends the signal of Ctrl-C once something is kept at `kept`.
Answer interrupted(const Words& words, const fs::path& kept) {
  std::jthread other([&](const std::stop_token& ended) {
    while (!ended.stop_requested() && !fs::exists(kept)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (!ended.stop_requested()) kill(getpid(), SIGINT);
  });
  return answer(words);
}

TEST(AttentionRecordCommand, GoesOnWhereItWasInterruptedAndComesToTheSame) {
  const fs::path folder = fresh_folder("record");
  const fs::path whole = folder / "whole.h5";
  const fs::path out = folder / "out.h5";
  const fs::path kept = out.string() + ".part.safetensors";
  ASSERT_EQ(answer(recording(whole)).exit_code, 0);
  const Answer first = interrupted(recording(out), kept);
  ASSERT_EQ(first.exit_code, 130) << first.err;
  EXPECT_THAT(first.err, testing::AllOf(HasSubstr("of 40 images are kept in " + kept.string()),
                                        HasSubstr("same command goes on:\n  kvscope attention")));
  const AttentionRecord so_far = read_attention(out);
  EXPECT_LT(so_far.images, 40);
  EXPECT_EQ(so_far.asked_images, 40);
  const Answer checked = answer({"h5", "check", out.string()});
  EXPECT_EQ(checked.exit_code, 3);
  EXPECT_THAT(checked.out, HasSubstr(" of 40 images"));
  const Answer second = answer(recording(out));
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_FALSE(fs::exists(kept));
  const AttentionRecord a = read_attention(whole);
  const AttentionRecord b = read_attention(out);
  EXPECT_EQ(a.prompts, b.prompts);
  EXPECT_EQ(a.images, b.images);
  EXPECT_EQ(a.first_images.size(), 4);
  EXPECT_EQ(a.first_images, b.first_images);
  ASSERT_EQ(a.arrays.size(), b.arrays.size());
  for (const auto& [name, array] : a.arrays) EXPECT_EQ(array.values, b.array(name).values) << name;
  for (const auto& [name, array] : a.variances) {
    EXPECT_EQ(array.values, b.variances.at(name).values) << name;
  }
  for (const auto& [name, array] : a.of_images) {
    EXPECT_EQ(array.values, b.of_images.at(name).values) << name;
  }

  const Answer again = answer(recording(out));
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.err, HasSubstr("recorded already"));
}

// A set, a part of it, and what the command line adds; the point is the same whatever is recorded.
TEST(AttentionRecordCommand, RecordsSetsAndParts) {
  const fs::path folder = fresh_folder("record");
  const auto record = [&](const std::string& name, const Words& more) {
    const fs::path out = folder / (name + ".h5");
    const Answer made = answer(Words{"attention", "record"} + tiny_model() +
                               Words{"gen.images=1", "--out", out.string()} + more);
    EXPECT_EQ(made.exit_code, 0) << name << made.err;
    return read_attention(out);
  };
  const AttentionRecord roles = record("roles", {"record=roles"});
  EXPECT_EQ(roles.arrays.size(), 2);
  EXPECT_TRUE(roles.holds("mass.history_top"));
  const AttentionRecord sinks =
      record("sinks", {"record=sinks", "--steps", "1..2", "record.layers=1", "--heads", "0"});
  EXPECT_EQ(sinks.point_hash, roles.point_hash);
  EXPECT_FALSE(sinks.arrays.contains("mass.text")) << "of next-token models";
  EXPECT_FALSE(sinks.holds("sink.mass"));
  EXPECT_EQ(sinks.part("sink.mass").shape(), (std::vector<int64_t>{1, 1, 2}));
  EXPECT_THAT(sinks.lack_of(sinks.part("sink.mass")),
              HasSubstr("layers 1 of 2, heads 0 of 2, steps 1..2 of"));
  const Answer page = answer({"attention", "explore", (folder / "sinks.h5").string()});
  EXPECT_EQ(page.exit_code, 3);
  EXPECT_THAT(page.err, HasSubstr("attention show"));
  const AttentionRecord some = record("some", {"--statistics", "rank.*,entropy.query"});
  EXPECT_EQ(some.arrays.size(), 3);
  const AttentionRecord lost = record("lost", {"record=losses", "policy=h2o", "budget.tokens=6"});
  EXPECT_EQ(lost.arrays.size(), 4);
  EXPECT_LT(lost.array("loss.retained_mass").values.back(), 1);
  EXPECT_EQ(lost.array("loss.token_agreement").values.front(), 1) << "of one past";
  EXPECT_TRUE(record("raw", {"record=roles", "--raw", "0:1"}).holds("map.raw"));
  const AttentionRecord all = record("all", {"record=everything"});
  EXPECT_TRUE(all.holds("map.query"));
}

TEST(AttentionRecordCommand, WhatCannotBeRecordedIsRefused) {
  const fs::path out = fresh_folder("record") / "out.h5";
  const auto refusal = [&](const Words& more) {
    const Answer refused = answer(recording(out, more));
    EXPECT_EQ(refused.exit_code, 2) << more.front() << refused.err;
    EXPECT_FALSE(fs::exists(out));
    return refused.err;
  };
  EXPECT_THAT(refusal({"record=rolls"}), HasSubstr("roles"));
  EXPECT_THAT(refusal({"record.top_kys=3"}), HasSubstr("record.top_keys"));
  EXPECT_THAT(refusal({"record.top_keys=0"}), HasSubstr("nearest feasible: record.top_keys=1"));
  EXPECT_THAT(refusal({"--layers", "9"}), HasSubstr("the model has layers 0..1"));
  EXPECT_THAT(refusal({"--layers", "1..0"}), HasSubstr("0,7..9"));
  EXPECT_THAT(refusal({"--layers", "0"}), HasSubstr("--raw 1:0"));
  EXPECT_THAT(refusal({"--raw-at", "99"}), HasSubstr("nothing"));
  EXPECT_THAT(refusal({"--statistics", "al*"}), HasSubstr("no statistic"));
  EXPECT_THAT(refusal({"--raw", "1-0"}), HasSubstr("LAYER:HEAD"));
  EXPECT_THAT(refusal({"--raw", "1:9"}), HasSubstr("heads 0..1"));
  EXPECT_THAT(refusal({"--statistics", "sink.mess"}), HasSubstr("sink.mass"));
  const Answer run = answer(Words{"plan"} + tiny_model() + Words{"+record=roles"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("attention record alone reads it"));
}

TEST(AttentionRecordCommand, WhatIsOfSomethingElseIsRefusedAndStays) {
  const fs::path folder = fresh_folder("record");
  const fs::path out = folder / "out.h5";
  const fs::path kept = out.string() + ".part.safetensors";
  const Words few = {"gen.images=2"};
  ASSERT_EQ(answer(recording(out, few)).exit_code, 0);
  const auto bytes = fs::file_size(out);
  for (const Words& other :
       {Words{"gen.images=2", "gen.seed=9"}, Words{"gen.images=2", "policy=full"},
        Words{"gen.images=2", "--statistics", "mass.step"},
        Words{"gen.images=2", "--top-keys", "3"}, Words{"gen.images=2", "--key-side", "3"}}) {
    const Answer refused = answer(recording(out, other));
    EXPECT_EQ(refused.exit_code, 2) << other.back() << refused.err;
    EXPECT_THAT(refused.err, testing::AllOf(HasSubstr(out.string()), HasSubstr("--out")));
    EXPECT_EQ(fs::file_size(out), bytes);
  }
  const Answer more = answer(recording(out, {"gen.images=3"}));
  EXPECT_EQ(more.exit_code, 0) << more.err;
  EXPECT_EQ(read_attention(out).images, 3);

  fs::remove(out);
  std::ofstream(out) << "a letter to a friend";
  EXPECT_EQ(answer(recording(out, few)).exit_code, 2);
  EXPECT_EQ(fs::file_size(out), 20);

  fs::remove(out);
  std::ofstream(kept) << "damaged";
  const Answer anew = answer(recording(out, few));
  EXPECT_EQ(anew.exit_code, 0) << anew.err;
  EXPECT_THAT(anew.err, HasSubstr("set aside as"));
  EXPECT_TRUE(fs::exists(kept.string() + ".damaged"));
}

}  // namespace
}  // namespace kvscope
