#include "experiments/results/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <functional>

#include "analysis/metrics/psnr.h"
#include "analysis/metrics/registry.h"
#include "core/base/error.h"
#include "core/hdf5/file.h"
#include "experiments/results/late_metrics.h"
#include "experiments/results/sweep_metrics.h"
#include "experiments/results/sweep_table.h"
#include "tests/experiments/results/result_checks.h"
#include "tests/experiments/results/sample_sweep.h"

namespace kvscope {
namespace {

using std::filesystem::path;
using testing::ElementsAre;
using testing::HasSubstr;

std::string input_error(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST(MedianOf, KnowsSmallAndLargeSamples) {
  EXPECT_FALSE(median_of({}).present());
  const Measured five = median_of({5, 1, 4, 2, 3});
  EXPECT_EQ(five.value, 3);
  EXPECT_LT(five.half_width(), 0) << "2 / 2^5 > 5 %: five values bound nothing";
  const Measured six = median_of({6, 1, 5, 2, 4, 3});
  EXPECT_EQ(six.value, 3.5);
  EXPECT_EQ(six.low, 1);
  EXPECT_EQ(six.high, 6);
  // The textbook table of the sign test: n = 20 gives the 6th smallest and largest.
  std::vector<double> twenty;
  for (int i = 20; i >= 1; --i) twenty.push_back(i);
  EXPECT_EQ(median_of(twenty).low, 6);
  EXPECT_EQ(median_of(twenty).high, 15);
}

TEST(SummariseSweep, FullCacheFirstThenPolicyThenFallingBudget) {
  const path sweep = fresh_folder("sweep");
  write_sample_point(sweep, sample_point("snapkv", 0.1, 4), 3);
  write_sample_point(sweep, sample_point("scalekv", 0.5, 4), 2);
  write_sample_point(sweep, sample_point("snapkv", 0.5, 4), 1);
  write_sample_point(sweep, sample_point("full", 1, 4), 0);
  { ResultWriter unfinished(sweep / "points" / "abc" / "result.h5", sample_point("x", 0.1, 4)); }
  const SweepSummary summary = summarise_sweep(sweep);
  std::vector<std::string> names;
  for (const auto& point : summary.points) names.push_back(point_name(point, {}));
  EXPECT_THAT(names, ElementsAre("full", "scalekv 50 %", "snapkv 50 %", "snapkv 10 %"));
  EXPECT_THAT(summary.notes, ElementsAre(HasSubstr("abc")));
}

TEST(SummariseSweep, NumbersOfAPoint) {
  const path sweep = fresh_folder("sweep");
  write_sample_point(sweep, sample_point("full", 1, 7), 0);
  const PointInfo point = sample_point("snapkv", 0.1, 7);
  const path folder = write_sample_point(sweep, point, 3);
  // One image equals its reference.
  write_result_image(folder, point, sample_row(5), sample_image(0));
  const SweepSummary summary = summarise_sweep(sweep);
  const PointSummary& full = summary.points.at(0);
  EXPECT_EQ(full.metrics.at("psnr").missing, "the reference itself");
  EXPECT_NEAR(full.seconds_per_image.value, 0.103, 1e-12);
  const PointSummary& snapkv = summary.points.at(1);
  EXPECT_EQ(snapkv.metrics.at("psnr").left_out, 1);
  EXPECT_NEAR(snapkv.metrics.at("psnr").value, psnr_decibels(sample_image(0), sample_image(3)),
              1e-9);
  EXPECT_NEAR(snapkv.metrics.at("psnr").half_width(), 0, 1e-9);
  EXPECT_EQ(snapkv.kv_planned_bytes, 3 << 20);
  EXPECT_EQ(snapkv.kv_live_bytes, 3 << 20);
  EXPECT_EQ(snapkv.kv_peak_bytes, 4 << 20);
  EXPECT_EQ(snapkv.kv_peak_planned_bytes, (4 << 20) + 1);
  EXPECT_EQ(snapkv.allocator_peak_bytes, 7 << 20);
  EXPECT_EQ(snapkv.allocator_planned_bytes, 6 << 20);
  EXPECT_TRUE(std::isnan(snapkv.device_peak_bytes));
  EXPECT_NEAR(snapkv.metrics.at("shape_eval").value, 4.0 / 7, 1e-12);
  EXPECT_GT(snapkv.metrics.at("shape_eval").half_width(), 0.2);
  EXPECT_EQ(snapkv.attention_ms.value, 13);
}

TEST(SummariseSweep, MetricsOfTheRowsAreTaken) {
  const path sweep = fresh_folder("sweep");
  const PointInfo point = sample_point("snapkv", 0.1, 3);
  ResultWriter writer(sweep / "points" / "one" / "result.h5", point);
  for (uint64_t i = 0; i < 3; ++i) writer.append(sample_row(i));  // 20 dB, infinite, 22 dB
  writer.finish();
  const PointSummary summary = summarise_sweep(sweep).points.at(0);
  EXPECT_EQ(summary.metrics.at("psnr").value, 21);
  EXPECT_EQ(summary.metrics.at("psnr").left_out, 1);
  EXPECT_EQ(summary.metrics.at("ssim").value, 0.5);
}

TEST(SummariseSweep, AMeanOverPartOfTheImagesSaysOverHowMany) {
  const path sweep = fresh_folder("sweep");
  const PointInfo point = sample_point("snapkv", 0.1, 4);
  ResultWriter writer(sweep / "points" / "one" / "result.h5", point);
  for (uint64_t i = 0; i < 4; ++i) {
    ImageRow row = sample_row(i);
    if (i > 1) row.metrics["ssim"] = kNotMeasured;
    if (i == 0) row.total_ms = kNotMeasured;
    writer.append(row);
  }
  writer.finish();
  const SweepSummary summary = summarise_sweep(sweep);
  const PointSummary& only = summary.points.at(0);
  EXPECT_EQ(only.metrics.at("ssim").part, (PartOfImages{.images = 2, .all = 4}));
  EXPECT_EQ(only.seconds_per_image.part, (PartOfImages{.images = 3, .all = 4}));
  EXPECT_FALSE(only.metrics.at("psnr").part) << "all have one, if an infinite one";
  EXPECT_THAT(footnotes(sweep_table(summary)), testing::Contains("over 2 of 4 images"));
}

TEST(SummariseSweep, MissingReferenceIsSaid) {
  const path sweep = fresh_folder("sweep");
  write_sample_point(sweep, sample_point("snapkv", 0.1, 3), 3);
  PointInfo full = sample_point("full", 1, 3);
  full.labels[0].second = "another model";
  write_sample_point(sweep, full, 3);
  const SweepSummary summary = summarise_sweep(sweep);
  for (const PointSummary& point : summary.points) {
    if (point.point().full_cache) continue;
    EXPECT_THAT(point.metrics.at("psnr").missing, HasSubstr("no full-cache point"));
    EXPECT_THAT(point.metrics.at("ssim").missing, HasSubstr("no full-cache point"));
  }
  EXPECT_EQ(differing_keys(summary), (std::vector<LabelKey>{{"model", "model"}}));
  const Table table = sweep_table(summary);
  EXPECT_EQ(table.columns.front().header, "model");
  EXPECT_THAT(footnotes(table), testing::Contains(HasSubstr("no full-cache point")));
}

TEST(SummariseSweep, AMetricOfASetSeesAllImagesBesideTheirReferences) {
  const path folder = fresh_folder("sweep");
  write_sample_point(folder, sample_point("full", 1, 3), 0);
  PointInfo info = sample_point("snapkv", 0.1, 3);
  info.config_yaml += "metrics: {list: [shift]}\n";
  write_sample_point(folder, info, 3);
  const Metric shift{
      .name = "shift", .scope = MetricScope::kSet, .make_of_set = [](const MetricInputs& /*none*/) {
        return MeasureSet([](const EachImage& images) {
          double sum = 0;
          images([&](const MeasuredImage& image) {
            sum += image.image.rgb.front() - image.reference->rgb.front();
          });
          return MetricSummary{.interval = {sum, sum - 1, sum + 1}};
        });
      }};
  std::vector<PointSummary> points;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "points")) {
    PointSummary& point = points.emplace_back();
    point.folder = entry.path();
    point.result = read_result(entry.path() / "result.h5");
    if (!point.point().full_cache) point.asked_metrics = std::vector<std::string>{"shift"};
  }
  std::vector<std::string> notes;
  measure_sets(points, std::vector<Metric>{shift}, notes);
  EXPECT_THAT(notes, testing::IsEmpty());
  for (const PointSummary& point : points) {
    if (point.point().full_cache) {
      EXPECT_FALSE(point.metric(shift).present());
    } else {
      EXPECT_EQ(point.metric(shift).value, 9);  // three images, each three levels brighter
      EXPECT_EQ(point.metric(shift).low, 8);
    }
  }
}

TEST(SummariseSweep, AMistypedFolderIsAnsweredWithTheNearestOrTheListOnce) {
  const path all = fresh_folder("all");
  for (const char* name : {"statistics", "layers", "heads"}) {
    std::filesystem::create_directories(all / name / "points");
  }
  const std::string typed = input_error([&] { summarise_sweep(all / "statistcs"); });
  EXPECT_THAT(typed, testing::EndsWith("no such folder. Did you mean " +
                                       (all / "statistics").string() + "?"));
  const std::string other = input_error([&] { summarise_sweep(all / "quickstart"); });
  EXPECT_THAT(other, testing::EndsWith("Results folders in " + all.string() +
                                       ": heads, layers, statistics."));
  EXPECT_THAT(input_error([&] { summarise_sweep(all); }),
              testing::EndsWith("in it. Results folders in " + all.string() +
                                ": heads, layers, statistics."));
}

TEST(SummariseSweep, TheOneFinishedLastOfTheSameSettingsCounts) {
  const path sweep = fresh_folder("sweep");
  const PointInfo now = sample_point("snapkv", 0.1, 3);
  PointInfo before = now;
  before.point_hash = sha256_hex("as an earlier version made it");
  PointInfo other = now;
  other.point_hash = sha256_hex("another setting");
  other.config_yaml += "gen: {top_k: 3}\n";
  write_sample_point(sweep, sample_point("full", 1, 3), 0);
  const path old = write_sample_point(sweep, before, 3);
  const path newest = write_sample_point(sweep, now, 3);
  write_sample_point(sweep, other, 3);
  // Copies of a folder have times that say nothing.
  std::filesystem::last_write_time(
      old / "result.h5",
      std::filesystem::last_write_time(newest / "result.h5") + std::chrono::hours(1));
  const SweepSummary summary = summarise_sweep(sweep);
  ASSERT_EQ(summary.points.size(), 3);
  for (const PointSummary& point : summary.points) EXPECT_NE(point.folder, old);
  EXPECT_THAT(summary.notes, ElementsAre(testing::AllOf(HasSubstr("run again later"),
                                                        HasSubstr(old.filename().string()))));
  std::filesystem::remove_all(newest);
  EXPECT_THAT(summarise_sweep(sweep).notes, testing::IsEmpty());
}

/// Takes out when it was finished, as files had it before; those had no digests either.
void forget_time(const path& folder) {
  {
    unseal(folder / "result.h5");
    hdf5::File opened = hdf5::File::open(folder / "result.h5", hdf5::File::Access::kAppend);
    opened.root().set_attribute("schema_version", int64_t{2});
  }
  const hid_t id = H5Fopen((folder / "result.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  EXPECT_GE(H5Adelete(id, "finished_unix_ns"), 0);
  H5Fclose(id);
}

TEST(SummariseSweep, AFileThatSaysNoTimeComesBeforeOneThatDoes) {
  const path sweep = fresh_folder("sweep");
  const PointInfo now = sample_point("snapkv", 0.1, 3);
  PointInfo before = now;
  before.point_hash = sha256_hex("as an earlier version made it");
  const path newest = write_sample_point(sweep, now, 3);
  const path old = write_sample_point(sweep, before, 3);
  forget_time(old);
  EXPECT_EQ(read_result(old / "result.h5").finished_unix_ns, 0);
  EXPECT_EQ(summarise_sweep(sweep).points.at(0).folder, newest);
}

TEST(SummariseSweep, WhatCannotBeReadIsLeftOutAndSaid) {
  const path sweep = fresh_folder("sweep");
  write_sample_point(sweep, sample_point("full", 1, 3), 0);
  const path bad = write_sample_point(sweep, sample_point("snapkv", 0.1, 3), 3) / "result.h5";
  const auto restored = [&] {
    std::filesystem::remove_all(bad);
    std::filesystem::remove_all(bad.parent_path());
    write_sample_point(sweep, sample_point("snapkv", 0.1, 3), 3);
  };
  const std::vector<std::pair<const char*, std::function<void()>>> kinds = {
      {"emptied", [&] { std::filesystem::resize_file(bad, 0); }},
      {"cut", [&] { std::filesystem::resize_file(bad, std::filesystem::file_size(bad) / 2); }},
      {"a folder",
       [&] {
         std::filesystem::remove(bad);
         std::filesystem::create_directories(bad);
       }},
      {"text", [&] { std::ofstream(bad) << "no HDF5"; }},
      {"a flipped byte", [&] {
         std::fstream stream(bad, std::ios::in | std::ios::out | std::ios::binary);
         stream.seekp(5000);
         stream << 'x';
       }}};
  for (const auto& [what, damage] : kinds) {
    restored();
    damage();
    const SweepSummary summary = summarise_sweep(sweep);
    EXPECT_EQ(summary.points.size(), 1) << what;
    EXPECT_THAT(summary.notes,
                ElementsAre(testing::AllOf(HasSubstr("cannot be read"),
                                           HasSubstr(bad.parent_path().filename().string()))))
        << what;
  }
  restored();
  const path png_path = image_path(bad.parent_path(), 1);
  std::filesystem::resize_file(png_path, 40);
  const SweepSummary summary = summarise_sweep(sweep);
  EXPECT_EQ(summary.points.size(), 2);
  EXPECT_THAT(summary.notes, ElementsAre(HasSubstr(png_path.string())));
}

TEST(SummariseSweep, WhatIsMeasuredLateIsWrittenIntoTheFile) {
  const path sweep = fresh_folder("sweep");
  const path snapkv = write_sample_point(sweep, sample_point("snapkv", 0.1, 3), 3);
  EXPECT_FALSE(summarise_sweep(sweep).points.at(0).metric(metric_named("psnr")).present());
  const int64_t finished = read_result(snapkv / "result.h5").finished_unix_ns;
  write_sample_point(sweep, sample_point("full", 1, 3), 0);
  const SweepSummary summary = summarise_sweep(sweep);
  const PointSummary& shown = summary.points.at(1);
  EXPECT_TRUE(shown.filled_late);
  EXPECT_TRUE(std::isnan(read_result(snapkv / "result.h5").rows[0].metrics["psnr"]));
  write_late_metrics(summary.points);
  const ResultFile file = read_result(snapkv / "result.h5");
  EXPECT_EQ(file.finished_unix_ns, finished);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(file.rows[i].metrics["psnr"], shown.result.rows[i].metrics["psnr"]);
    EXPECT_FALSE(std::isnan(file.rows[i].metrics["ssim"]));
  }
  EXPECT_FALSE(summarise_sweep(sweep).points.at(1).filled_late);
}

TEST(SummariseSweep, AnIntervalStaysWithinWhatTheMetricCanBe) {
  const path sweep = fresh_folder("sweep");
  const PointInfo point = sample_point("snapkv", 0.1, 2);
  ResultWriter writer(sweep / "points" / "one" / "result.h5", point);
  for (uint64_t i = 0; i < 2; ++i) {
    ImageRow row = sample_row(i);
    row.metrics["ssim"] = i == 0 ? 0.6 : 0.95;
    row.metrics["psnr"] = i == 0 ? 12.0 : 30.0;
    writer.append(row);
  }
  writer.finish();
  const PointSummary summary = summarise_sweep(sweep).points.at(0);
  EXPECT_EQ(summary.metrics.at("ssim").high, 1);
  EXPECT_GE(summary.metrics.at("ssim").low, -1);
  EXPECT_GE(summary.metrics.at("psnr").low, 0);
}

TEST(SummariseSweep, FewerImagesThanStoredAreUsedAndSaid) {
  const path sweep = fresh_folder("sweep");
  write_sample_point(sweep, sample_point("full", 1, 7), 0);
  const path snapkv = write_sample_point(sweep, sample_point("snapkv", 0.1, 7), 3);
  ResultWriter(snapkv / "result.h5", sample_point("snapkv", 0.1, 4)).finish();
  const SweepSummary summary = summarise_sweep(sweep);
  EXPECT_EQ(summary.points.at(1).result.rows.size(), 4);
  EXPECT_EQ(summary.points.at(1).unused_rows.size(), 3);
  EXPECT_THAT(summary.notes, ElementsAre(testing::AllOf(HasSubstr("4 of 7 images"),
                                                        HasSubstr(snapkv.filename().string()))));
}

TEST(SummariseSweep, WrongFoldersPointToTheRightOne) {
  const path parent = fresh_folder("parent");
  const path point = write_sample_point(parent / "demo", sample_point("full", 1, 1), 0);
  EXPECT_THAT(input_error([&] { summarise_sweep(parent / "dmeo"); }),
              AllOf(HasSubstr("no such folder"), HasSubstr("demo?")));
  EXPECT_THAT(input_error([&] { summarise_sweep(parent); }),
              AllOf(HasSubstr("no points/*/result.h5"), HasSubstr("demo?")));
  EXPECT_THAT(input_error([&] { summarise_sweep(point); }), HasSubstr("Did you mean the sweep"));
  const path running = fresh_folder("running");
  { ResultWriter writer(running / "points" / "a" / "result.h5", sample_point("full", 1, 1)); }
  EXPECT_THAT(input_error([&] { summarise_sweep(running); }), HasSubstr("unfinished: a"));
}

TEST(SummariseSweep, APointThatAsksForNoMetricHasNoneAndIsNotMeasuredLate) {
  const std::filesystem::path folder = fresh_folder("none");
  for (const char* policy : {"full", "snapkv"}) {
    PointInfo point = sample_point(policy, policy == std::string("full") ? 1 : 0.1, 2);
    point.config_yaml = fmt::format("policy: {}\nmetrics: {{list: []}}\n", policy);
    write_sample_point(folder, point, 20);
  }
  const SweepSummary sweep = summarise_sweep(folder);
  for (const PointSummary& point : sweep.points) {
    EXPECT_FALSE(point.filled_late);
    EXPECT_THAT(point.metric(metric_named("psnr")).missing,
                testing::AnyOf(testing::HasSubstr("metrics.list of the point does not have psnr"),
                               testing::HasSubstr("the reference itself")));
  }
  const std::vector<Metric> shown = shown_metrics(sweep);
  EXPECT_TRUE(std::ranges::none_of(shown, [](const Metric& one) { return one.name == "psnr"; }));
}

}  // namespace
}  // namespace kvscope
