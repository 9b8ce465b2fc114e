// Files of configs/paper, and every shipped one of them.
#include "experiments/paper/paper_item.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "analysis/metrics/registry.h"
#include "core/base/error.h"
#include "core/config/yaml.h"
#include "experiments/paper/published.h"
#include "test_paths.h"
#include "tests/experiments/results/sample_sweep.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using Words = std::vector<std::string>;

ConfigRepository shipped() {
  return ConfigRepository({fs::path(kSourceDir) / "configs"});
}

/// A repository of one item.
ConfigRepository repository_of(const std::string& text) {
  const fs::path folder = fresh_folder("paper");
  fs::create_directories(folder / "paper");
  std::ofstream(folder / "paper/mine.yaml") << text;
  return ConfigRepository({folder});
}

TEST(PaperItems, CommandsOfShippedOnesAreThoseOfTheProgram) {
  ConfigRepository repository = shipped();
  const std::vector<PaperItem> items = paper_items(repository);
  ASSERT_GT(items.size(), 20u);
  for (const PaperItem& item : items) {
    EXPECT_TRUE(item.runs_here() || !item.needs.empty()) << item.name;
    const fs::path folder = fs::path(testing::TempDir()) / "kvscope_paper_item";
    for (const Words& words : filled_commands(item, folder.string(), {})) {
      // What plans and runs compose is composed here, which is as far as no time is taken.
      if (words.front() == "run" || words.front() == "plan") {
        Words composed = words;
        if (words.front() == "run") composed.insert(composed.begin() + 1, {"--cfg", "job"});
        const Answer answered = answer(composed);
        EXPECT_THAT(answered.err, testing::Not(HasSubstr("unknown"))) << item.name;
        if (words.front() == "plan") {
          EXPECT_EQ(answered.exit_code, 0) << item.name << ": " << answered.err;
        }
      } else {
        EXPECT_THAT((Words{"attention", "sheet", "table"}), testing::Contains(words.front()))
            << item.name;
      }
    }
    fs::remove_all(folder);
  }
}

TEST(PaperItems, PlacesAreFilled) {
  ConfigRepository repository = repository_of(
      "work: W\nitem: figure 1\nshows: s\n"
      "commands: [[run, \"hydra.run.dir={folder}/a\", \"{overrides}\"], [table, \"{folder}\"]]\n");
  const PaperItem item = paper_item(repository, "mi");
  EXPECT_EQ(item.name, "mine");
  EXPECT_THAT(
      filled_commands(item, "/x", {"model=m", "seed=1"}),
      ElementsAre(Words{"run", "hydra.run.dir=/x/a", "model=m", "seed=1"}, Words{"table", "/x"}));
}

TEST(PaperItems, WrongFilesAreRefusedWithThePlace) {
  const auto refusal = [](const std::string& text) -> std::string {
    try {
      ConfigRepository repository = repository_of(text);
      paper_items(repository);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal("work: W\nitem: i\nshows: s\nclaims: c\n"),
              testing::AllOf(HasSubstr("mine.yaml:4"), HasSubstr("claim")));
  EXPECT_THAT(refusal("work: W\nitem: i\nshows: s\ncommands: 3\n"), HasSubstr("list"));
  EXPECT_THAT(refusal("work: W\nitem: i\nshows: s\npublished: [{source: a, model: m, metric: pnsr, "
                      "values: []}]\n"),
              HasSubstr("Did you mean 'psnr'"));
  EXPECT_THAT(refusal("work: W\nitem: i\nshows: s\npublished: [{source: a, model: m, metric: psnr, "
                      "values: [[a, b]]}]\n"),
              HasSubstr("expected [policy, budget, value]"));
  ConfigRepository repository = shipped();
  EXPECT_THROW(paper_item(repository, "scalekv_figure7"), Error) << "7a or 7b";
  EXPECT_THROW(paper_item(repository, "scalekv_figre2"), Error);
}

TEST(PublishedBesideMeasured, FindsPointsByPolicyAndBudget) {
  const fs::path folder = fresh_folder("sweep");
  write_sample_point(folder, sample_point("full", 1, 4), 10);
  write_sample_point(folder, sample_point("snapkv", 0.1, 4), 20);
  const SweepSummary sweep = summarise_sweep(folder);
  const PointSummary& point = sweep.points.back();
  const std::string policy = point.point().label("policy");
  PublishedSeries series{.source = "table 1", .model = "infinity_2b", .metric = "psnr"};
  series.values = {{policy, budget_name(point.point()), 20.5}, {"nobody", "3 %", 1.5}};
  const Table table = published_beside_measured(series, sweep, "t");
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(std::get<TableNumber>(table.rows[0].cells[2].content).value, 20.5);
  EXPECT_EQ(std::get<TableNumber>(table.rows[0].cells[3].content).value,
            point.metric(metric_named("psnr")).value);
  EXPECT_THAT(std::get<TableMissing>(table.rows[1].cells[3].content).reason,
              HasSubstr("no such point"));
}

TEST(PaperCommand, ListsAndShowsAndRefuses) {
  const Answer list = answer({"paper", "list"});
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_THAT(list.out, testing::AllOf(HasSubstr("scalekv_figure7a"), HasSubstr("ssd_quality")));
  const Answer dry = answer({"paper", "run", "scalekv_figure2", "--dry-run"});
  EXPECT_EQ(dry.exit_code, 0);
  EXPECT_THAT(dry.out, HasSubstr("$ kvscope plan model=infinity_2b policy=scalekv"));
  const Answer cannot = answer({"paper", "run", "scalekv_table4"});
  EXPECT_EQ(cannot.exit_code, 2);
  EXPECT_THAT(cannot.err, HasSubstr("cannot be run"));
}

TEST(PaperCommand, MakesAFigure) {
  const fs::path folder = fresh_folder("figure2");
  const Answer made = answer({"paper", "run", "scalekv_figure2", "--out", folder.string()});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  std::ifstream csv(folder / "figure2.csv");
  std::string header, first;
  std::getline(csv, header);
  std::getline(csv, first);
  EXPECT_THAT(header, HasSubstr("tokens after step 12"));
  EXPECT_THAT(first, testing::StartsWith("0,1,5,21"));  // layer 0: everything, until it is full
  EXPECT_THAT(first, HasSubstr(",920,1490,2510,4100,6385"));
  EXPECT_TRUE(fs::exists(folder / "figure2.svg"));
}

}  // namespace
}  // namespace kvscope
