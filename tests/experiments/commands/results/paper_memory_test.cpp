#include "experiments/commands/results/paper_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/base/error.h"
#include "experiments/commands/run.h"
#include "tests/experiments/results/sample_sweep.h"

namespace kvscope {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

ConfigArguments experiment(const std::string& name) {
  return {.overrides = {"+experiment=paper/" + name}};
}

double number(const TableRow& row, size_t column) {
  return std::get<TableNumber>(row.cells.at(column).content).value;
}

constexpr size_t kPlanned = 5;
constexpr size_t kDifference = 7;

TEST(PaperMemory, EveryCellOfScaleKvsFirstTableIsAsPublished) {
  const PaperMemory result = paper_memory(experiment("scalekv_table1_memory"));
  EXPECT_EQ(result.table.rows.size(), 32);
  EXPECT_EQ(result.computed, 32);
  EXPECT_EQ(result.as_published, 32);
  EXPECT_EQ(result.explained, 0);
  EXPECT_THAT(result.unexplained, IsEmpty());
  for (const TableRow& row : result.table.rows) EXPECT_EQ(number(row, kDifference), 0);
  EXPECT_EQ(number(result.table.rows.front(), kPlanned), 38550);
  // 8 images x 2 rows x 6425 tokens x 40 layers x 28 heads x 128 channels x 6 bytes
  EXPECT_EQ(number(result.table.rows.at(16), kPlanned), 84328.125);
}

TEST(PaperMemory, WhatThePlanDoesNotEqualSaysWhy) {
  for (const char* name : {"scalekv_table3", "ssd_memory", "linear_memory"}) {
    const PaperMemory result = paper_memory(experiment(name));
    EXPECT_THAT(result.unexplained, IsEmpty()) << name;
    EXPECT_EQ(result.as_published + result.explained,
              static_cast<int64_t>(result.table.rows.size()))
        << name << ": a cell is as published, or says why it is not, and never both";
  }
}

TEST(PaperMemory, TableThreesCacheIsAsPublishedButForItsOwnContradiction) {
  const PaperMemory result = paper_memory(experiment("scalekv_table3"));
  EXPECT_EQ(result.as_published, 4);
  EXPECT_EQ(number(result.table.rows.front(), kDifference), 0);
  EXPECT_EQ(number(result.table.rows.at(1), kDifference), -1);
}

TEST(PaperMemory, SsdsRatiosAreTokensOverAllTokens) {
  const PaperMemory result = paper_memory(experiment("ssd_memory"));
  EXPECT_DOUBLE_EQ(number(result.table.rows.front(), kPlanned), 96.0 / 608);
  EXPECT_GE(result.as_published, 20);
}

/// A folder of configs with one experiment.
std::filesystem::path own_experiment(const std::string& text) {
  const std::filesystem::path folder = fresh_folder("configs");
  std::filesystem::create_directories(folder / "experiment");
  std::ofstream(folder / "experiment" / "mine.yaml") << "# @package _global_\nname: mine\n" << text;
  return folder;
}

ConfigArguments own(const std::filesystem::path& folder) {
  return {.config_folder = folder, .overrides = {"+experiment=mine"}};
}

TEST(PaperMemory, AUsersOwnTable) {
  const std::filesystem::path folder = own_experiment(R"(mode: plan
table:
  title: mine
  defaults: {model: infinity_2b, unit: GB, decimals: 2, overrides: [model.precision=compact]}
  cells:
    - {label: one image, policy: full, published: 3.37}
    - {label: saved, policy: full, minus: [policy=snapkv, budget.ratio=0.5], published: 1.68}
    - {label: differs, policy: full, images: 2, published: 6.00}
    - {label: hidden, policy: full, quantity: none, reason: nobody knows}
)");
  const PaperMemory result = paper_memory(own(folder));
  // 2 rows x 6425 tokens x 32 layers x 16 heads x 128 channels x 4 bytes
  EXPECT_DOUBLE_EQ(number(result.table.rows.at(0), kPlanned), 3368550400.0 / 1e9);
  EXPECT_EQ(result.computed, 3);
  EXPECT_EQ(result.explained, 1);
  EXPECT_EQ(result.as_published, 2);
  ASSERT_EQ(result.unexplained.size(), 1);
  EXPECT_THAT(result.unexplained.front(), HasSubstr("differs (table.cells.2): planned 6.7371 GB"));
}

TEST(PaperMemory, TheCommandWritesTheTableAndFailsOnlyOnWhatIsUnexplained) {
  const std::filesystem::path results = fresh_folder("results");
  ConfigArguments arguments = experiment("scalekv_table3");
  arguments.overrides.push_back("hydra.run.dir=" + results.string());
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_command(arguments, "kvscope run"), 0);
  fflush(stdout);
  const std::string printed = testing::internal::GetCapturedStdout();
  EXPECT_THAT(printed, HasSubstr("10.541"));
  EXPECT_THAT(printed, HasSubstr("10 cells: 7 planned, 4 of them as published, 6 with a reason"));
  for (const char* file : {"table.csv", "table.md", "table.tex", "index.html"}) {
    EXPECT_TRUE(std::filesystem::exists(results / "report" / file)) << file;
  }
  std::ostringstream csv;
  csv << std::ifstream(results / "report" / "table.csv").rdbuf();
  EXPECT_THAT(csv.str(), HasSubstr("84328 MiB"));
}

std::string refusal(const ConfigArguments& arguments) {
  try {
    paper_memory(arguments);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    return error.what();
  }
  return "accepted";
}

TEST(PaperMemory, RefusesWhatItWouldNotSee) {
  ConfigArguments arguments = experiment("scalekv_table3");
  arguments.overrides.emplace_back("gen.batch=4");
  EXPECT_THAT(refusal(arguments), HasSubstr("gen.batch=4"));
  arguments = experiment("scalekv_table3");
  arguments.multirun = true;
  EXPECT_THAT(refusal(arguments), HasSubstr("-m"));
  const auto cell = [](const std::string& text) {
    return own(own_experiment("mode: plan\ntable:\n  cells:\n    - {" + text + "}\n"));
  };
  EXPECT_THAT(refusal(cell("modle: infinity_2b")), HasSubstr("'table.cells.0.model'"));
  EXPECT_THAT(refusal(cell("model: infinity_3b")), HasSubstr("infinity_2b"));
  EXPECT_THAT(refusal(cell("unit: MoB")), HasSubstr("'MB'"));
  EXPECT_THAT(refusal(cell("quantity: kb")), HasSubstr("'kv'"));
  EXPECT_THAT(refusal(cell("quantity: none")), HasSubstr("reason"));
  EXPECT_THAT(refusal(own(own_experiment("mode: plan\n"))), HasSubstr("table.cells"));
}

}  // namespace
}  // namespace kvscope
