#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>

#include "core/base/error.h"
#include "core/npz/npz_reader.h"
#include "core/npz/npz_writer.h"
#include "experiments/judges/import.h"
#include "experiments/judges/judge.h"
#include "experiments/judges/reader_rules.h"
#include "tests/experiments/judges/judged_sweep.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

/// Every leaf of expected.json by its JSON pointer.
void collect(const JudgeJson& json,
             const std::string& pointer,
             std::map<std::string, JudgeJson>& leaves) {
  if (json.is_object() && !json.empty()) {
    for (const auto& [key, value] : json.items()) collect(value, pointer + "/" + key, leaves);
  } else if (json.is_array() && !json.empty()) {
    for (size_t i = 0; i < json.size(); ++i) {
      collect(json[i], pointer + "/" + std::to_string(i), leaves);
    }
  } else {
    leaves[pointer] = json;
  }
}

class ExpectedTotals : public testing::Test {
 protected:
  void SetUp() override {
    expected_ = parse_judge_json(file_content(judges_golden("expected.json")), "expected.json");
    collect(expected_, "", leaves_);
    folder_ = fresh_folder("files");
  }

  [[nodiscard]] JudgeScores imported(const std::string& judge,
                                     const std::vector<std::string>& files,
                                     const std::string& prompts = "") const {
    ImportOptions options;
    for (const std::string& file : files) {
      options.files.push_back(file.starts_with('/') ? fs::path(file) : judges_golden(file));
    }
    if (!prompts.empty()) options.prompts = judges_golden(prompts);
    return import_scores(judge_named(judge), options);
  }

  /// Everything expected at `pointer` and below is in `actual`, at the same places.
  void expect_all(const std::string& pointer, const JudgeJson& actual, double relative = 1e-12) {
    const JudgeJson expected = expected_[JudgeJson::json_pointer(pointer)];
    std::map<std::string, JudgeJson> wanted;
    collect(expected, "", wanted);
    std::map<std::string, JudgeJson> got;
    collect(actual, "", got);
    for (const auto& [place, value] : wanted) {
      seen_.insert(pointer + place);
      const auto found = got.find(place);
      ASSERT_NE(found, got.end()) << pointer << place;
      if (value.is_number()) {
        const double number = value;
        EXPECT_NEAR(number_of(found->second, place), number, relative * std::abs(number))
            << pointer << place;
      } else {
        EXPECT_EQ(found->second, value) << pointer << place;
      }
    }
  }
  void expect(const std::string& pointer, double value, double relative = 1e-12) {
    expect_all(pointer, value, relative);
  }
  void note_input(const std::string& pointer) {
    for (const auto& [place, value] : leaves_) {
      if (place.starts_with(pointer)) seen_.insert(place);
    }
  }
  [[nodiscard]] std::string file_of(const std::string& name, const std::string& text) const {
    write_text(folder_ / name, text);
    return (folder_ / name).string();
  }
  /// An archive of one matrix of f32.
  [[nodiscard]] std::string archive_of(const std::string& array,
                                       const std::vector<float>& values,
                                       int64_t columns) const {
    const fs::path path = folder_ / (array + ".npz");
    NpzWriter writer(path);
    const int64_t shape[] = {std::ssize(values) / columns, columns};
    writer.begin_array(array, "<f4", shape);
    writer.append(std::as_bytes(std::span(values)));
    writer.finish();
    return path.string();
  }

  void geneval();
  void dpg();
  void hpsv2();
  void imagereward();
  void fid_and_adm();
  void pairs_and_mjhq();

  JudgeJson expected_;
  std::map<std::string, JudgeJson> leaves_;
  std::set<std::string> seen_;
  fs::path folder_;
};

void ExpectedTotals::geneval() {
  const JudgeJson totals =
      imported("geneval", {"geneval_results.jsonl", "geneval_summary.txt"}).totals;
  expect_all("/geneval/official", totals["official"]);
  expect_all("/geneval/corrected", totals["corrected"]);
  expect_all("/geneval/folders", totals["folders"]);
  EXPECT_EQ(totals["printed"]["overall"], 0.43155);
  for (const JudgeJson& file : expected_["geneval"]["passed_over"]) {
    const std::string place = file.get<std::string>().substr(sizeof("geneval_images"));
    const FolderListing listing{.root = folder_ / "empty", .files = {place}};
    const auto reading = judge_named("geneval").read_folder({.listing = listing});
    EXPECT_THAT(reading.front().read, testing::IsEmpty()) << place;
  }
  note_input("/geneval/passed_over");
}

void ExpectedTotals::dpg() {
  const JudgeScores scores =
      imported("dpg", {"dpg_results.txt", "dpg_results_detail.txt", "dpg_bench.csv",
                       "dpg_answers.json", "dpg_stdout.txt"});
  expect_all("/dpg", scores.totals);
  // The judge's own arithmetic on the answers gives what it printed.
  const JudgeJson again = imported("dpg", {"dpg_bench.csv", "dpg_answers.json"}).totals;
  for (const char* part : {"/dpg/official/dpg_score", "/dpg/official/per_image", "/dpg/official/L1",
                           "/dpg/official/L2", "/dpg/official/not_scored"}) {
    expect_all(part, again[JudgeJson::json_pointer(part + 4)]);
  }
  // Of the detail file alone the first item cannot be mended.
  const JudgeScores detail =
      imported("dpg", {"dpg_results.txt", "dpg_results_detail.txt", "dpg_bench.csv"});
  EXPECT_FALSE(detail.totals.contains("first_row_kept"));
  EXPECT_NEAR(detail.totals["without_first_item"]["dpg_score"].get<double>(), 54.6875, 1e-9);
  EXPECT_NEAR(detail.totals["missing_counts_as_zero"].get<double>(), 218.75 / 5, 1e-9);
}

void ExpectedTotals::hpsv2() {
  const JudgeJson totals = imported("hpsv2", {"hpsv2_stdout.txt", "hpsv2_scores.json"}).totals;
  expect_all("/hpsv2", totals, 1e-6);  // the judge's scores are of single precision
  EXPECT_EQ(totals["printed"]["average_over_images"], 30.12);
  EXPECT_EQ(totals["printed"]["styles"]["concept-art"]["std_of_chunk_means"], 0.1872);
}

void ExpectedTotals::imagereward() {
  const JudgeScores scores = imported(
      "imagereward", {"ImageReward-v1.0-benchmark-full-result.json",
                      "ImageReward-v1.0-benchmark-results.json", "imagereward_stdout.txt"});
  expect_all("/imagereward/official", scores.totals["official"]);
  expect_all("/imagereward/images_per_prompt", scores.totals["images_per_prompt"]);
  EXPECT_FALSE(scores.totals.contains("silent_repeat"));
  expect_all("/imagereward/infinity",
             imported("imagereward_infinity", {"imagereward_infinity_res.json"}).totals);
  const JudgeJson repeat = expected_["imagereward"]["silent_repeat"];
  const JudgeJson list = JudgeJson::array({{{"id", repeat["prompt"]},
                                            {"prompt", "a"},
                                            {"mean_score", 0},
                                            {"rewards", repeat["rewards"]}}});
  const JudgeJson found =
      imported("imagereward", {file_of("ImageReward-v1.0-benchmark-m-result.json", list.dump())})
          .totals;
  expect_all("/imagereward/silent_repeat/rewards", found["silent_repeat"][0]["rewards"]);
  expect_all("/imagereward/silent_repeat/prompt", found["silent_repeat"][0]["prompt"]);
  EXPECT_EQ(found["silent_repeat"][0]["missing"], JudgeJson::array({1}));
  EXPECT_NEAR(found["corrected"]["m"].get<double>(),
              (-0.2995709478855133 + 0.35647788643836975) / 2, 1e-12);
  note_input("/imagereward/silent_repeat/note");
}

void ExpectedTotals::fid_and_adm() {
  const std::string printed =
      file_of("fid.txt", expected_["fid_stats"]["printed"].get<std::string>() + "\n");
  expect_all("/fid_stats", imported("fid", {printed, "fid_stats_1.npz", "fid_stats_2.npz"}).totals);
  expect("/fid_stats/fid", imported("fid", {"fid_stats_1.npz", "fid_stats_2.npz"}).totals["fid"]);
  const JudgeJson features = imported("imagenet_npz", {"adm_acts.npz"}).totals;
  const JudgeJson evaluated = imported("imagenet_npz", {"adm_eval.txt"}).totals;
  for (const char* key : {"fid", "sfid", "precision", "recall"}) {
    // The evaluator's features are of single precision.
    expect(std::string("/adm/") + key, features[key], 4e-7);
    expect(std::string("/adm/") + key, evaluated[key]);
  }
  const NpyArray logits = NpzReader(judges_golden("adm_acts.npz")).array("class_logits");
  const int64_t rows = expected_["adm"]["inception_score"]["rows"];
  const auto columns = static_cast<size_t>(logits.shape[1]);
  const auto score = [&](bool shuffled) {
    std::vector<float> values;
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t sorted = shuffled ? 7919 * row % rows : row;
      const auto begin = static_cast<size_t>(sorted / (rows / 40)) * columns;
      for (size_t i = 0; i < columns; ++i)
        values.push_back(static_cast<float>(logits.values[begin + i]));
    }
    return imported("imagenet_npz", {archive_of("class_logits", values, logits.shape[1])})
        .totals["inception_score"];
  };
  const JudgeJson sorted = score(false);
  const JudgeJson shuffled = score(true);
  expect("/adm/inception_score/sorted_by_class", sorted["in_file_order"], 2e-5);
  expect("/adm/inception_score/shuffled", shuffled["in_file_order"], 2e-5);
  expect("/adm/inception_score/shuffled", evaluated["inception_score"], 2e-5);
  expect("/adm/inception_score/one_split", sorted["one_split"], 2e-5);
  expect("/adm/inception_score/rows", shuffled["rows"]);
  expect("/adm/inception_score/split", shuffled["split"]);
  note_input("/adm/inception_score/shuffle");
  note_input("/adm/inception_score/sorted_rows");
  const NpyArray samples = NpzReader(judges_golden("samples_tiny.npz")).array("arr_0");
  expect_all("/adm/samples_tiny/shape", JudgeJson(samples.shape));
  double sum = 0;
  double first = 0;
  for (size_t i = 0; i < samples.values.size(); ++i) {
    sum += samples.values[i];
    if (i < size_t{8} * 8 * 3) first += samples.values[i];
  }
  expect("/adm/samples_tiny/sum", sum);
  expect("/adm/samples_tiny/first_image_sum", first);
}

void ExpectedTotals::pairs_and_mjhq() {
  const JudgeJson pairs = expected_["pairs"];
  JudgeJson values = {{"mse", pairs["mse"]}, {"lpips", pairs["lpips_each"]}};
  const JudgeJson totals = imported("scalekv", {file_of("pairs.json", values.dump())}).totals;
  for (const char* key : {"psnr_each", "psnr_mean", "psnr_of_mean_mse", "lpips_mean"}) {
    expect_all(std::string("/pairs/") + key, totals[key]);
  }
  const JudgeJson printed = imported("scalekv", {"scalekv_stdout.txt"}).totals;
  expect("/pairs/torchmetrics_f32", printed["psnr"]);
  expect("/pairs/lpips_mean", printed["lpips"], 1e-8);
  expect("/fid_stats/fid", printed["fid"]);
  const JudgeJson heatkv = imported("heatkv", {"heatkv_metrics.json"}).totals;
  expect("/pairs/psnr_mean", heatkv["psnr"], 1e-7);
  expect("/pairs/lpips_mean", heatkv["lpips"]);
  values["mse"].push_back(0);
  const JudgeJson identical = imported("heatkv", {file_of("identical.json", values.dump())}).totals;
  EXPECT_EQ(identical["psnr_mean"], "Infinity");
  EXPECT_EQ(identical["identical_pairs"], 1);
  EXPECT_NEAR(identical["psnr_mean_without_identical_pairs"].get<double>(),
              pairs["psnr_mean"].get<double>(), 1e-9);
  note_input("/pairs/with_one_identical_pair");
  note_input("/pairs/mse");
  note_input("/pairs/lpips_each");

  expect("/mjhq/average_printed_by_fastvar",
         imported("mjhq", {"mjhq_stdout.txt"}).totals["average_printed_by_fastvar"]);
  JudgeJson cosines;
  for (const JudgeJson& id : expected_["mjhq"]["images"]) {
    cosines[id.get<std::string>()] = expected_["mjhq"]["cos"][id.get<std::string>()];
  }
  const JudgeJson mjhq =
      imported("mjhq", {file_of("cos.json", cosines.dump())}, "mjhq_meta_data.json").totals;
  expect("/mjhq/average_printed_by_fastvar", mjhq["average_clip_score"]);
  expect_all("/mjhq/per_category", mjhq["per_category"]);
  expect_all("/mjhq/people_only", mjhq["people_only"]);
  EXPECT_EQ(mjhq["missing"].size(), 2U);
  note_input("/mjhq/cos");
  note_input("/mjhq/images");

  const JudgeJson llamagen = imported("llamagen_t2i", {"llamagen_score.txt"}).totals;
  expect("/fid_stats/fid", llamagen["fid"]);
}

TEST_F(ExpectedTotals, EveryOneIsReproducedByImport) {
  geneval();
  dpg();
  hpsv2();
  imagereward();
  fid_and_adm();
  pairs_and_mjhq();
  size_t covered = 0;
  for (const auto& [place, value] : leaves_) {
    if (seen_.contains(place)) ++covered;
    EXPECT_TRUE(seen_.contains(place)) << place;
  }
  RecordProperty("totals", static_cast<int>(covered));
  std::printf("%zu of %zu values of expected.json\n", covered, leaves_.size());
  EXPECT_GT(leaves_.size(), 300U);
}

TEST(ReaderRules, TakeTheFilesThatThePublishedReadersTake) {
  const JudgeJson listings =
      parse_judge_json(file_content(judges_golden("listings.json")), "listings.json");
  using Rule = std::function<bool(std::string_view)>;
  const std::map<std::string, Rule> rules = {
      {"clean_fid", reader_rules::clean_fid},
      {"pytorch_fid", reader_rules::pytorch_fid},
      {"scalekv_pairs", reader_rules::scalekv_pairs},
      {"heatkv_pairs", reader_rules::heatkv_pairs},
      {"var_npz", reader_rules::var_npz},
      {"geneval_samples_folder", reader_rules::geneval_sample},
      {"geneval_infinity_copy", reader_rules::geneval_infinity_sample},
      {"hpsv2_style_folder_up_to_30_prompts",
       [](std::string_view place) { return reader_rules::hpsv2_style(place, 30); }},
      {"mjhq_fastvar_clip_walk", reader_rules::fastvar_clip_walk},
      {"llamagen_t2i_evaluation", reader_rules::llamagen_t2i}};
  const JudgeJson& read_by = listings["read_by"];
  EXPECT_EQ(read_by.size(), rules.size());
  for (const auto& [reader, rule] : rules) {
    JudgeJson taken = JudgeJson::array();
    for (const JudgeJson& file : listings["files"]) {
      if (rule(file.get<std::string>())) taken.push_back(file);
    }
    EXPECT_EQ(taken, read_by[reader]) << reader;
  }
}

}  // namespace
}  // namespace kvscope
