#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/image/jpeg.h"
#include "core/image/png.h"
#include "core/npz/npz_reader.h"
#include "experiments/judges/export.h"
#include "experiments/judges/export_writer.h"
#include "experiments/judges/judge.h"
#include "experiments/judges/judge_card.h"
#include "experiments/judges/judge_text.h"
#include "tests/experiments/judges/judged_sweep.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// What every judge owes: an export from a sweep of as many samples as it needs.
class JudgeContract : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("kvscope_judge_" + GetParam());
    fs::remove_all(folder_);
    prompts_ = golden_prompts(GetParam(), folder_ / "list");
    samples_ = GetParam().starts_with("imagereward") ? 3 : std::max<int64_t>(1, judge().samples);
    point_ = write_judged_point(folder_ / "sweep", "snapkv", prompts_.texts, samples_);
    write_judged_point(folder_ / "sweep", "full", prompts_.texts, samples_);
  }
  [[nodiscard]] const Judge& judge() const { return judge_named(GetParam()); }
  [[nodiscard]] ExportOptions options(const std::string& out) const {
    return {.folder = folder_ / "sweep",
            .out = folder_ / out,
            .choice = {.point = "", .only = {"policy=snapkv"}},
            .prompts = prompts_.path,
            .samples = samples_,
            .name = !judge().names_model ? ""
                    : judge().needs_base ? "2b"
                                         : "mymodel"};
  }
  [[nodiscard]] ExportSummary exported(const ExportOptions& wanted) const {
    return export_for(judge(), wanted, [] { return false; });
  }
  [[nodiscard]] std::vector<FolderReading> readings(const fs::path& out) const {
    const FolderListing listing = FolderListing::of(out);
    ReadRequest request{.listing = listing, .samples = samples_};
    if (!prompts_.path.empty()) request.prompts = prompt_list_of(judge(), prompts_.path);
    return judge().read_folder(request);
  }

  fs::path folder_, point_;
  GoldenPrompts prompts_;
  int64_t samples_ = 1;
};

TEST_P(JudgeContract, WritesTheFolderThatItsReadersTakeWhole) {
  const ExportSummary summary = exported(options("out"));
  const FolderListing listing = FolderListing::of(folder_ / "out");
  std::vector<std::string> places = summary.places;
  std::ranges::sort(places);
  EXPECT_EQ(listing.files, places);
  const fs::path golden = judges_golden("input_" + GetParam() + ".txt");
  if (fs::exists(golden)) {
    std::vector<std::string> expected;
    const std::string text = file_content(golden);
    for (const TextLine& line : lines_of(text)) expected.emplace_back(line.text);
    std::ranges::sort(expected);
    EXPECT_EQ(listing.files, expected);
  }
  for (const FolderReading& reading : readings(folder_ / "out")) {
    // Infinity's copy of GenEval reads .png as well; nothing that is exported may be lost on
    // anyone.
    EXPECT_THAT(reading.skipped, testing::IsEmpty()) << reading.reader;
    EXPECT_THAT(reading.misread, testing::IsEmpty()) << reading.reader;
    EXPECT_THAT(reading.stops, testing::IsEmpty()) << reading.reader;
    EXPECT_THAT(reading.missing, testing::IsEmpty()) << reading.reader;
    EXPECT_TRUE(reading.is_clean()) << reading.reader;
  }
  const JudgeCard card = read_judge_card(summary.card);
  EXPECT_EQ(card.judge, GetParam());
  EXPECT_EQ(card.point_hash, summary.point);
  EXPECT_THAT(card.recipe, testing::Contains(testing::Pair("cfg", "4")));
  EXPECT_FALSE(fs::exists(folder_ / "out" / summary.card.filename())) << "beside, not in";
}

TEST_P(JudgeContract, NeverWritesOverAndLeavesNothingBehind) {
  (void)exported(options("out"));
  EXPECT_THAT(refusal([&] { (void)exported(options("out")); }), HasSubstr("is there already"));
  const ExportSummary stopped = export_for(judge(), options("stopped"), [] { return true; });
  EXPECT_TRUE(stopped.is_stopped);
  for (const auto& entry : fs::directory_iterator(folder_)) {
    EXPECT_THAT(entry.path().filename().string(),
                testing::AnyOf("list", "sweep", "out", "out.card.json"));
  }
}

TEST_P(JudgeContract, RefusesWhatIsMissingAndLeavesItOutWhereAsked) {
  fs::remove(image_path(point_, image_number(1, 0)));
  const std::string why = refusal([&] { (void)exported(options("out")); });
  EXPECT_THAT(why, AllOf(HasSubstr("1 of "), HasSubstr("000001.png: not there")));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  ExportOptions partial = options("out");
  partial.is_partial = true;
  const ExportSummary summary = exported(partial);
  EXPECT_EQ(summary.missing, 1);
  EXPECT_EQ(FolderListing::of(folder_ / "out").files.size(), summary.places.size());
}

TEST_P(JudgeContract, RefusesMixedPointsAndSizes) {
  ExportOptions mixed = options("out");
  mixed.choice.only.clear();
  EXPECT_THAT(refusal([&] { (void)exported(mixed); }),
              AllOf(HasSubstr("2 points"), HasSubstr("--point")));
  write_png(image_path(point_, image_number(1, 0)), Image(9, 9));
  EXPECT_THAT(refusal([&] { (void)exported(options("out")); }), HasSubstr("9 x 9"));
}

TEST_P(JudgeContract, ResultFilesThatAreNoneAreRefused) {
  if (!judge().import) return;
  const fs::path file = folder_ / "results.txt";
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[1, 2"), std::string("\x00\xff\xfe", 3),
        std::string("FID: twelve\n"), std::string("{\"a\": {\"b\": [1]}}"),
        std::string(100000, '['), std::string("item_id,text\n\"a"),
        std::string("x.png, (0, 0, 8, 8), What?, yes\n")}) {
    write_text(file, text);
    EXPECT_NE(refusal([&] { (void)judge().import({.files = {{.path = file, .text = text}}}); }), "")
        << text.substr(0, 40);
  }
}

TEST_P(JudgeContract, RefusesOptionsThatItHasNoUseFor) {
  const auto refused = [&](const char* option, bool is_read, auto&& set) {
    ExportOptions asked = options("out");
    set(asked);
    const std::string why = refusal([&] { (void)exported(asked); });
    EXPECT_EQ(why.find(std::string(option) + ": " + judge().title + " has no use") == why.npos,
              is_read)
        << option << ": " << why;
    fs::remove_all(folder_ / "out");
    fs::remove(folder_ / "out.card.json");
  };
  refused("--order", judge().is_archive, [](ExportOptions& asked) { asked.is_shuffled = false; });
  refused("--shuffle-seed", judge().is_archive,
          [](ExportOptions& asked) { asked.shuffle_seed = 1; });
  refused("--jpeg-quality", judge().codec == "jpeg",
          [](ExportOptions& asked) { asked.jpeg_quality = 80; });
  refused("--name", judge().names_model, [](ExportOptions& asked) { asked.name = "mine"; });
  refused("--base", judge().needs_base, [](ExportOptions& asked) { asked.base = "0"; });
  for (const int64_t samples : {0, -1}) {
    ExportOptions asked = options("out");
    asked.samples = samples;
    EXPECT_THAT(refusal([&] { (void)exported(asked); }), HasSubstr("--samples")) << samples;
  }
}

TEST_P(JudgeContract, TakesAllSamplesOfAPointWhereAnyNumberWillDo) {
  if (judge().samples != kAllSamples) return;
  write_judged_point(folder_ / "three", "snapkv", prompts_.texts, 3);
  const ExportSummary summary = export_for(
      judge(), {.folder = folder_ / "three", .out = folder_ / "all"}, [] { return false; });
  EXPECT_EQ(summary.pictures, 3 * std::ssize(prompts_.texts));
  EXPECT_THAT(read_judge_card(summary.card).recipe,
              testing::Contains(testing::Pair("samples", "3")));
}

INSTANTIATE_TEST_SUITE_P(EveryJudge,
                         JudgeContract,
                         testing::ValuesIn(judge_names()),
                         [](const auto& tested) { return tested.param; });

/// A folder with a point of four samples of a prompt.
struct OnePrompt {
  fs::path folder = fresh_folder("one");
  fs::path list = folder / "list.jsonl";
  OnePrompt() {
    write_text(list, "{\"tag\": \"counting\",  \"include\": [], \"prompt\": \"a \\u00e9 cat\"}\n");
  }
  [[nodiscard]] ExportSummary exported(const std::string& judge, const fs::path& out) const {
    return export_for(judge_named(judge), {.folder = folder / "sweep", .out = out, .prompts = list},
                      [] { return false; });
  }
};

TEST(Export, CopiesMetadataAndPixelsAsTheyAre) {
  const OnePrompt one;
  const fs::path point = write_judged_point(one.folder / "sweep", "snapkv", {"a é cat"}, 4);
  (void)one.exported("geneval", one.folder / "out");
  EXPECT_EQ(file_content(one.folder / "out/00000/metadata.jsonl"), file_content(one.list));
  EXPECT_EQ(read_png(one.folder / "out/00000/samples/00002.png").image,
            read_png(image_path(point, image_number(0, 2))).image);
}

TEST(Export, TilesRowByRowWithoutABorder) {
  const OnePrompt one;
  const fs::path point = write_judged_point(one.folder / "sweep", "snapkv", {"a cat"}, 4);
  write_text(one.folder / "prompts/7.txt", "a cat");
  (void)export_for(
      judge_named("dpg"),
      {.folder = one.folder / "sweep", .out = one.folder / "out", .prompts = one.folder},
      [] { return false; });
  const Image grid = read_png(one.folder / "out/7.png").image;
  ASSERT_EQ(grid.width, 16);
  ASSERT_EQ(grid.height, 16);
  for (uint64_t tile = 0; tile < 4; ++tile) {
    const Image image = read_png(image_path(point, image_number(0, tile))).image;
    for (int64_t y = 0; y < 8; ++y) {
      for (int64_t x = 0; x < 8; ++x) {
        const int64_t top = tile < 2 ? 0 : 8;
        const int64_t left = tile % 2 == 0 ? 0 : 8;
        ASSERT_EQ(grid.pixel(top + y, left + x)[1], image.pixel(y, x)[1]);
      }
    }
  }
}

TEST(Export, FindsPromptsThatWereRewritten) {
  const OnePrompt one;
  write_judged_point(one.folder / "sweep", "snapkv", {"one cat, whiskered, on a sill"}, 4);
  EXPECT_NE(refusal([&] { (void)one.exported("geneval", one.folder / "out"); }), "");
  write_text(one.folder / "rewritten.json", "{\"a é cat\": \"one cat,  whiskered, on a sill\"}");
  ExportOptions options{.folder = one.folder / "sweep",
                        .out = one.folder / "out",
                        .prompts = one.list,
                        .rewritten = one.folder / "rewritten.json"};
  const ExportSummary summary = export_for(judge_named("geneval"), options, [] { return false; });
  EXPECT_EQ(file_content(one.folder / "out/00000/metadata.jsonl"), file_content(one.list));
  EXPECT_THAT(read_judge_card(summary.card).recipe,
              testing::Contains(testing::Pair("rewritten", "1 prompts")));
}

TEST(Export, WritesInfinitysListAndHeatKvsPromptsAsTheirScriptsDo) {
  const fs::path folder = fresh_folder("lists");
  const GoldenPrompts rewards = golden_prompts("imagereward_infinity", folder / "a");
  write_judged_point(folder / "rewards", "snapkv", rewards.texts, 3);
  fs::create_directories(folder / "here");
  const fs::path before = fs::current_path();
  fs::current_path(folder / "here");
  (void)export_for(
      judge_named("imagereward_infinity"),
      {.folder = folder / "rewards", .out = "out", .prompts = rewards.path, .samples = 3},
      [] { return false; });
  fs::current_path(before);
  EXPECT_EQ(file_content(folder / "here/out/metadata.jsonl"),
            file_content(judges_golden("imagereward_infinity_metadata.jsonl")));
  const GoldenPrompts captions = golden_prompts("heatkv", folder / "b");
  write_judged_point(folder / "pairs", "snapkv", captions.texts, 1);
  write_judged_point(folder / "pairs", "full", captions.texts, 1);
  (void)export_for(judge_named("heatkv"),
                   {.folder = folder / "pairs",
                    .out = folder / "out",
                    .choice = {.point = "", .only = {"policy=snapkv"}}},
                   [] { return false; });
  EXPECT_EQ(file_content(folder / "out/prompts.jsonl"),
            file_content(judges_golden("heatkv_prompts.jsonl")));
}

TEST(Export, ArchivesAreShuffledBySeedAndHaveEveryImageOnce) {
  const fs::path folder = fresh_folder("npz");
  std::vector<std::string> prompts;
  for (int i = 0; i < 12; ++i) prompts.push_back(fmt::format("class {}", i));
  write_judged_point(folder / "sweep", "snapkv", prompts, 1);
  const auto first_levels = [&](const std::string& out, bool shuffled, uint64_t seed) {
    (void)export_for(judge_named("imagenet_npz"),
                     {.folder = folder / "sweep",
                      .out = folder / out,
                      .is_shuffled = shuffled,
                      .shuffle_seed = seed},
                     [] { return false; });
    const NpyArray array = NpzReader(folder / out).array("arr_0");
    EXPECT_EQ(array.shape, (std::vector<int64_t>{12, 8, 8, 3}));
    std::vector<double> levels;
    for (size_t i = 0; i < array.values.size(); i += 192) levels.push_back(array.values[i]);
    return levels;
  };
  const std::vector<double> ordered = first_levels("index.npz", false, 0);
  EXPECT_TRUE(std::ranges::is_sorted(ordered));
  std::vector<double> shuffled = first_levels("a.npz", true, 1);
  EXPECT_EQ(shuffled, first_levels("b.npz", true, 1));
  EXPECT_NE(shuffled, first_levels("c.npz", true, 2));
  EXPECT_NE(shuffled, ordered);
  std::ranges::sort(shuffled);
  EXPECT_EQ(shuffled, ordered);
}

TEST(Export, WritesJpegOfTheAskedQuality) {
  const fs::path folder = fresh_folder("jpeg");
  const GoldenPrompts prompts = golden_prompts("hpsv2", folder / "list");
  const fs::path point = write_judged_point(folder / "sweep", "snapkv", prompts.texts, 1, 32);
  (void)export_for(judge_named("hpsv2"),
                   {.folder = folder / "sweep",
                    .out = folder / "out",
                    .prompts = prompts.path,
                    .jpeg_quality = 75},
                   [] { return false; });
  const std::vector<std::byte> expected =
      encode_jpeg(read_png(image_path(point, image_number(4, 0))).image, 75);
  const std::string written = file_content(folder / "out/concept-art/00001.jpg");
  EXPECT_EQ(written, std::string(reinterpret_cast<const char*>(expected.data()), expected.size()));
}

}  // namespace
}  // namespace kvscope
