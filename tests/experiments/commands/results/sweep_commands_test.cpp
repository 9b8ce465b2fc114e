#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <sstream>

#include "analysis/metrics/registry.h"
#include "core/base/error.h"
#include "core/image/png.h"
#include "experiments/commands/results/compare.h"
#include "experiments/commands/results/contact_sheet.h"
#include "experiments/commands/results/plot.h"
#include "experiments/commands/results/report.h"
#include "experiments/commands/results/table.h"
#include "tests/experiments/results/sample_sweep.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

using std::filesystem::path;
using testing::HasSubstr;

std::string content_of(const path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

std::string printed_by(const std::function<int()>& command) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(command(), 0);
  fflush(stdout);
  return testing::internal::GetCapturedStdout();
}

path sample_sweep() {
  const path sweep = fresh_folder("sweep");
  write_sample_point(sweep, sample_point("full", 1, 7), 0);
  write_sample_point(sweep, sample_point("snapkv", 0.5, 7), 2);
  write_sample_point(sweep, sample_point("snapkv", 0.1, 7), 9);
  write_sample_point(sweep, sample_point("sliding_window", 0.1, 7), 20);
  return sweep;
}

TEST(TableCommand, PrintsOneFormatAndWritesTheFiles) {
  const path sweep = sample_sweep();
  const std::string console = printed_by([&] { return table_command({.folder = sweep}); });
  EXPECT_THAT(console, AllOf(HasSubstr("snapkv"), HasSubstr("sliding_window"), HasSubstr("PSNR"),
                             HasSubstr("4.00")));
  for (const std::string format : {"csv", "md", "tex"}) {
    const std::string text =
        printed_by([&] { return table_command({.folder = sweep, .format = format}); });
    EXPECT_EQ(text, content_of(sweep / "report" / ("table." + format))) << format;
  }
  EXPECT_THAT(content_of(sweep / "report" / "table.tex"), HasSubstr("\\toprule"));
}

TEST(PlotCommand, OutIsOneFigureOfTheAskedSize) {
  const path sweep = sample_sweep();
  const path out = sweep / "figure.svg";
  const auto plot = [&](PlotOptions options) {
    options.folder = sweep;
    return printed_by([&] { return plot_command(options); });
  };
  EXPECT_EQ(plot({.metric = "psnr", .out = out}), out.string() + "\n");
  EXPECT_THAT(content_of(out), AllOf(HasSubstr("width=\"860px\""), HasSubstr(">snapkv</text>")));
  EXPECT_FALSE(std::filesystem::exists(sweep / "report" / "memory_psnr.svg"));
  plot({.metric = "psnr",
        .out = out,
        .width_px = 312,
        .height_px = 200,
        .font_size_px = 8,
        .without_title = true});
  const std::string small = content_of(out);
  EXPECT_THAT(small, AllOf(HasSubstr("width=\"312px\""), HasSubstr("scale(0.69487"),
                           testing::Not(HasSubstr("bold"))));
  plot({.metric = "psnr", .out = sweep / "figure.pdf"});
  EXPECT_TRUE(content_of(sweep / "figure.pdf").starts_with("%PDF"));
}

TEST(PlotCommand, WhatCannotBeOneFigureIsRefusedBeforeAnythingIsWritten) {
  const path sweep = sample_sweep();
  const path out = sweep / "figure.svg";
  struct Case {
    PlotOptions options;
    const char* says;
  };
  for (const Case& c :
       {Case{{.out = sweep / "a.jpg"}, ".svg, .png, .pdf"},
        Case{{.out = out}, "--metric chooses one"},
        Case{{.metric = "psnr", .out = out, .width_px = 10}, "--width 10: expected 200 to 8000"},
        Case{{.metric = "psnr", .out = out, .font_size_px = NAN}, "--font-size nan"},
        Case{{.metric = "psnr", .highlighted = {"snap,nothing"}, .out = out}, "'nothing'"}}) {
    PlotOptions options = c.options;
    options.folder = sweep;
    try {
      plot_command(options);
      ADD_FAILURE() << c.says;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig);
      EXPECT_THAT(error.what(), HasSubstr(c.says));
    }
    EXPECT_FALSE(std::filesystem::exists(options.out));
    EXPECT_FALSE(std::filesystem::exists(sweep / "report"));
  }
}

TEST(PlotCommand, AFigureOfNothingIsNotWritten) {
  const path sweep = fresh_folder("sweep_full_only");
  write_sample_point(sweep, sample_point("full", 1, 7), 0);
  EXPECT_EQ(printed_by([&] { return plot_command({.folder = sweep}); }), "");
  EXPECT_FALSE(std::filesystem::exists(sweep / "report"));
}

TEST(TableCommand, UnknownFormatWritesNothing) {
  const path sweep = sample_sweep();
  try {
    table_command({.folder = sweep, .format = "cvs"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    EXPECT_THAT(error.what(), HasSubstr("'csv'"));
  }
  EXPECT_FALSE(std::filesystem::exists(sweep / "report"));
}

TEST(PlotCommand, DrawsEveryMeasuredMetric) {
  const path sweep = sample_sweep();
  const std::string printed = printed_by([&] { return plot_command({.folder = sweep}); });
  for (const std::string metric : {"psnr", "ssim", "shape_eval"}) {
    const std::string stem = (sweep / "report" / ("memory_" + metric)).string();
    EXPECT_THAT(printed, HasSubstr(stem + ".svg"));
    EXPECT_THAT(content_of(stem + ".svg"), HasSubstr("<svg"));
    EXPECT_GT(read_png(stem + ".png").image.width, 100);
  }
}

TEST(TableCommand, HasNoColumnOfAMetricThatNobodyAskedFor) {
  const std::string table =
      printed_by([folder = sample_sweep()] { return table_command({.folder = folder}); });
  for (const Metric& metric : metrics()) {
    EXPECT_EQ(table.find(metric.label) != table.npos, metric.standard) << metric.label;
  }
}

TEST(PlotCommand, WrongMetricIsNamed) {
  const path sweep = sample_sweep();
  try {
    plot_command({.folder = sweep, .metric = "psrn"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    EXPECT_THAT(error.what(), HasSubstr("'psnr'"));
  }
}

TEST(PlotCommand, ModelsHaveAFigureEach) {
  const path sweep = sample_sweep();
  PointInfo other = sample_point("snapkv", 0.1, 7);
  other.labels.front().second = "toy2";
  other.point_hash = sha256_hex("toy2");
  write_sample_point(sweep, other, 3);
  printed_by([&] { return plot_command({.folder = sweep, .metric = "shape_eval"}); });
  printed_by([&] { return contact_sheet_command({.folder = sweep, .prompts = 2}); });
  for (const char* file : {"memory_shape_eval_toy.svg", "memory_shape_eval_toy2.png",
                           "contact_sheet_toy.png", "contact_sheet_toy2.svg"}) {
    EXPECT_TRUE(std::filesystem::exists(sweep / "report" / file)) << file;
  }
  EXPECT_FALSE(std::filesystem::exists(sweep / "report" / "contact_sheet.png"));
  EXPECT_FALSE(std::filesystem::exists(sweep / "report" / "memory_shape_eval.svg"));
}

TEST(CompareCommand, PrintsATableAModelAndWritesNothing) {
  const path sweep = sample_sweep();
  const std::string printed =
      printed_by([&] { return compare_command({.folder = sweep, .metric = "all"}); });
  EXPECT_THAT(printed, AllOf(HasSubstr("ShapeEval on toy by budget"), HasSubstr("snapkv"),
                             HasSubstr("SSIM to the full cache on toy by budget")));
  EXPECT_THAT(printed_by([&] {
                return compare_command({.folder = sweep, .against = "snapkv", .format = "md"});
              }),
              HasSubstr("difference to snapkv, paired by image"));
  EXPECT_FALSE(std::filesystem::exists(sweep / "report"));
  for (const std::string option : {"--test", "--interval", "--resamples", "--seed"}) {
    const std::string value = option == "--test" || option == "--interval" ? "t" : "5";
    const Answer refused = answer({"compare", sweep.string(), option, value});
    EXPECT_EQ(refused.exit_code, 2) << "it would say nothing of values";
    EXPECT_THAT(refused.err, HasSubstr(option + " " + value + " --against full"));
    EXPECT_EQ(answer({"compare", sweep.string(), "--against", "snapkv", option, value}).exit_code,
              0);
  }
  for (const std::string command : {"compare", "table"}) {
    EXPECT_EQ(answer({command, sweep.string(), "--json", "--format", "csv"}).exit_code, 2);
  }
  EXPECT_THROW(compare_command({.folder = sweep, .metric = "ssm"}), Error);
  EXPECT_THROW(compare_command({.folder = sweep, .format = "cvs"}), Error);
}

TEST(ContactSheetCommand, ShowsWhatIsAskedForBesideTheFullCache) {
  const path sweep = sample_sweep();
  const auto height = [&](const std::vector<std::string>& only) {
    printed_by(
        [&] { return contact_sheet_command({.folder = sweep, .prompts = 2, .only = only}); });
    return static_cast<int64_t>(read_png(sweep / "report" / "contact_sheet.png").image.height);
  };
  const int64_t all = height({});  // full, snapkv at 50 and 10 %, sliding_window at 10 %
  const int64_t row = all - height({"budget=10%"});
  EXPECT_GT(row, 0);
  EXPECT_EQ(height({"policy=snapkv"}), all - row);
  EXPECT_EQ(height({"budget=10 %", "policy=snapkv"}), all - 2 * row);
  const auto refused = [&](const std::string& only) -> std::string {
    try {
      contact_sheet_command({.folder = sweep, .only = {only}});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig);
      return error.what();
    }
    return "drawn";
  };
  EXPECT_THAT(refused("budget=15%"), HasSubstr("no budget '15%'"));
  EXPECT_THAT(refused("polcy=snapkv"), AllOf(HasSubstr("no label 'polcy'"), HasSubstr("policy")));
  EXPECT_THAT(refused("snapkv"), HasSubstr("expected label=value"));
}

TEST(ContactSheetCommand, ShowsAllPointsAndPassesOverLostImages) {
  const path sweep = sample_sweep();
  std::filesystem::remove(
      image_path(sweep / "points" / sample_point("snapkv", 0.1, 7).point_hash.substr(0, 12), 1));
  printed_by([&] { return contact_sheet_command({.folder = sweep, .prompts = 3}); });
  const PngContent sheet = read_png(sweep / "report" / "contact_sheet.png");
  EXPECT_GT(sheet.image.height, 4 * 128);
  EXPECT_THAT(content_of(sweep / "report" / "contact_sheet.svg"), HasSubstr("<svg"));
  EXPECT_THROW(contact_sheet_command({.folder = sweep, .prompts = 0}), Error);
}

TEST(ReportCommand, OnePageWithEverything) {
  const path sweep = sample_sweep();
  // One point says what made it, one's manifest is damaged, the others have none.
  std::ofstream(sweep / "points" / sample_point("full", 1, 7).point_hash.substr(0, 12) /
                "manifest.json")
      << R"({"command_line": "kvscope run -m policy=full,snapkv"})";
  std::ofstream(sweep / "points" / sample_point("snapkv", 0.1, 7).point_hash.substr(0, 12) /
                "manifest.json")
      << R"({"command_line": )";
  printed_by([&] { return report_command({.folder = sweep}); });
  const std::string page = content_of(sweep / "report" / "index.html");
  EXPECT_LT(page.find("KV peak ↓"), page.find("PSNR ↑"));
  EXPECT_LT(page.find("PSNR ↑"), page.find("allocated ↓"));
  EXPECT_THAT(page,
              AllOf(HasSubstr("kvscope run -m policy=full,snapkv"),
                    HasSubstr("title=\"the most that the allocator"), HasSubstr("<table"),
                    HasSubstr("<svg"), HasSubstr("data:image/png"), HasSubstr("torchmetrics")));
  for (const char* file :
       {"table.csv", "table.md", "table.tex", "memory_psnr.svg", "contact_sheet.png"}) {
    EXPECT_TRUE(std::filesystem::exists(sweep / "report" / file)) << file;
  }
}

TEST(SweepCommands, FolderWithoutPointsIsAnInputErrorAndStaysAsItIs) {
  const path empty = fresh_folder("empty");
  EXPECT_THROW(table_command({.folder = empty}), Error);
  EXPECT_THROW(plot_command({.folder = empty}), Error);
  EXPECT_THROW(contact_sheet_command({.folder = empty}), Error);
  EXPECT_THROW(report_command({.folder = empty}), Error);
  EXPECT_TRUE(std::filesystem::is_empty(empty));
}

}  // namespace
}  // namespace kvscope
