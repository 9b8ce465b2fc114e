#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/base/error.h"
#include "experiments/judges/import.h"
#include "experiments/judges/judge.h"
#include "experiments/judges/judge_csv.h"
#include "experiments/judges/judge_text.h"
#include "experiments/results/summary.h"
#include "experiments/results/sweep_table.h"
#include "tests/experiments/judges/judged_sweep.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

fs::path two_points() {
  const fs::path folder = fresh_folder("store");
  for (const char* policy : {"snapkv", "full"}) {
    write_judged_point(folder / "sweep", policy, {"a photo of a kite", "a photo of a hot dog"}, 4);
  }
  return folder;
}

std::vector<std::string> headers_of(const fs::path& sweep) {
  std::vector<std::string> headers;
  for (const TableColumn& column : sweep_table(summarise_sweep(sweep)).columns) {
    headers.push_back(column.header);
  }
  return headers;
}

TEST(ImportCommand, KeepsNumbersThatStandInTheTable) {
  const fs::path folder = two_points();
  const std::string results = judges_golden("geneval_results.jsonl").string();
  const Answer unclear = answer({"import", "geneval", results, (folder / "sweep").string()});
  EXPECT_EQ(unclear.exit_code, 2);
  EXPECT_THAT(unclear.err, HasSubstr("--point"));
  const Answer kept = answer(
      {"import", "geneval", results, (folder / "sweep").string(), "--only", "policy=snapkv"});
  EXPECT_EQ(kept.exit_code, 0) << kept.err;
  EXPECT_THAT(kept.out, AllOf(HasSubstr("GenEval (official)"), HasSubstr("0.4315"),
                              HasSubstr("GenEval (corrected)"), HasSubstr("0.4167")));
  EXPECT_THAT(headers_of(folder / "sweep"), AllOf(testing::Contains("GenEval (official)"),
                                                  testing::Contains("GenEval (corrected)")));
  const Answer table = answer({"table", (folder / "sweep").string(), "--format", "csv"});
  EXPECT_THAT(table.out, HasSubstr("GenEval (corrected)"));
  EXPECT_THAT(table.err, HasSubstr("note: GenEval (official): djghosh13/geneval af4902f2"));
  EXPECT_THAT(table.err, HasSubstr("cfg 4, tau 1"));
  // The same judge with another recipe: a column of its own.
  const Answer other = answer({"import", "geneval", results, (folder / "sweep").string(), "--only",
                               "policy=full", "--samples", "5"});
  EXPECT_EQ(other.exit_code, 0) << other.err;
  EXPECT_THAT(headers_of(folder / "sweep"),
              AllOf(testing::Contains("GenEval (official), samples 4"),
                    testing::Contains("GenEval (official), samples 5")));
}

TEST(ImportCommand, SaysWhereResultsAreOfPromptsThatThePointHasNot) {
  const fs::path folder = two_points();
  const std::string results = judges_golden("geneval_results.jsonl").string();
  const Answer some = answer(
      {"import", "geneval", results, (folder / "sweep").string(), "--only", "policy=snapkv"});
  EXPECT_THAT(some.err, AllOf(HasSubstr("note: 10 of the 12 prompts of the results"),
                              testing::Not(HasSubstr("'a photo of a kite'"))));
  write_judged_point(folder / "other", "snapkv", {"a cat", "a dog"}, 3);
  const std::string rewards = judges_golden("ImageReward-v1.0-benchmark-full-result.json").string();
  for (const auto& [judge, file] :
       {std::pair("geneval", results), std::pair("imagereward", rewards)}) {
    const Answer none = answer({"import", judge, file, (folder / "other").string()});
    EXPECT_EQ(none.exit_code, 3) << judge;
    EXPECT_THAT(none.err, HasSubstr("none of which point")) << judge;
  }
  EXPECT_THAT(headers_of(folder / "other"), testing::Not(testing::Contains(HasSubstr("official"))));
}

TEST(ImportCommand, TakesTheSamplesOfThePointWhereNothingSaysThem) {
  const fs::path folder = fresh_folder("samples");
  const GoldenPrompts prompts = golden_prompts("imagereward", folder / "list");
  write_judged_point(folder / "sweep", "snapkv", prompts.texts, 4);
  const Answer kept = answer({"import", "imagereward",
                              judges_golden("ImageReward-v1.0-benchmark-full-result.json").string(),
                              (folder / "sweep").string(), "--json"});
  ASSERT_EQ(kept.exit_code, 0) << kept.err;
  const JudgeJson json = parse_judge_json(kept.out, "stdout");
  const JudgeJson stored =
      parse_judge_json(file_content(json["stored"].get<std::string>()), "stored");
  EXPECT_EQ(stored["recipe"]["samples"], "4") << "not the judge's ten";
  EXPECT_EQ(answer({"import", "imagereward", prompts.path.string(), "--samples", "0"}).exit_code,
            2);
}

TEST(ImportCommand, TakesPointAndRecipeFromTheCard) {
  const fs::path folder = two_points();
  const std::string list = (folder / "list.jsonl").string();
  write_text(list,
             "{\"tag\": \"counting\", \"include\": [], \"prompt\": \"a photo of a kite\"}\n"
             "{\"tag\": \"counting\", \"include\": [], \"prompt\": \"a photo of a hot dog\"}\n");
  const std::string out = (folder / "out").string();
  const Answer exported = answer({"export", "geneval", (folder / "sweep").string(), "--to", out,
                                  "--prompts", list, "--only", "policy=snapkv"});
  ASSERT_EQ(exported.exit_code, 0) << exported.err;
  EXPECT_EQ(answer({"judge", "check", "geneval", out, "--prompts", list}).exit_code, 0);
  const Answer kept = answer({"import", "geneval", judges_golden("geneval_results.jsonl").string(),
                              (folder / "sweep").string(), "--card", out + ".card.json", "--json"});
  ASSERT_EQ(kept.exit_code, 0) << kept.err;
  const JudgeJson json = parse_judge_json(kept.out, "stdout");
  const JudgeJson stored =
      parse_judge_json(file_content(json["stored"].get<std::string>()), "stored");
  EXPECT_EQ(stored["recipe"]["size"], "8 x 8");
  EXPECT_EQ(stored["recipe"]["codec"], "PNG");
  EXPECT_THAT(stored["point"].get<std::string>(), testing::SizeIs(64));
  const Answer wrong = answer({"import", "mjhq", judges_golden("mjhq_stdout.txt").string(),
                               (folder / "sweep").string(), "--card", out + ".card.json"});
  EXPECT_EQ(wrong.exit_code, 3);
}

TEST(ImportCommand, ReadsAFileOnlyForTheJudgesWhoseFormatItIs) {
  const std::map<std::string, std::set<std::string>> judges_of = {
      {"ImageReward-v1.0-benchmark-full-result.json", {"imagereward"}},
      {"ImageReward-v1.0-benchmark-results.json", {"imagereward"}},
      {"adm_acts.npz", {"imagenet_npz"}},
      {"adm_eval.txt", {"imagenet_npz"}},
      {"dpg_results.txt", {"dpg"}},
      {"dpg_stdout.txt", {"dpg"}},
      {"geneval_results.jsonl", {"geneval"}},
      {"geneval_summary.txt", {"geneval"}},
      {"heatkv_metrics.json", {"heatkv"}},
      {"hpsv2_scores.json", {"hpsv2"}},
      {"hpsv2_stdout.txt", {"hpsv2"}},
      {"imagereward_infinity_res.json", {"imagereward_infinity"}},
      {"imagereward_stdout.txt", {"imagereward"}},
      {"llamagen_score.txt", {"llamagen_t2i"}},
      {"mjhq_stdout.txt", {"mjhq"}},
      {"scalekv_stdout.txt", {"scalekv"}}};
  for (const auto& entry : fs::directory_iterator(judges_golden(""))) {
    const std::string name = entry.path().filename().string();
    const auto known = judges_of.find(name);
    std::set<std::string> readers;
    std::string refusal;
    for (const Judge& judge : judges()) {
      if (!judge.import) continue;
      try {
        (void)import_scores(judge, {.files = {entry.path()}});
        readers.insert(judge.name);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kInput) << name << ", " << judge.name;
        refusal = error.what();
        const bool has_hint = refusal.find("kvscope import ") != refusal.npos;
        const bool is_text = entry.path().extension() != ".npz";
        EXPECT_EQ(has_hint, is_text && known != judges_of.end()) << judge.name << ": " << refusal;
      }
    }
    EXPECT_EQ(readers, known == judges_of.end() ? std::set<std::string>() : known->second) << name;
  }
}

TEST(JudgeCommand, SaysWhatAReaderWouldStopAt) {
  const fs::path folder = fresh_folder("check");
  write_text(folder / "00000/metadata.jsonl", "{\"tag\": 1}\n{\"tag\": 2}\n");
  write_text(folder / "00000/samples/0000.jpg", "no picture");
  fs::create_directories(folder / "00001");
  const Answer checked = answer({"judge", "check", "geneval", folder.string()});
  EXPECT_EQ(checked.exit_code, 1);
  EXPECT_THAT(checked.out, AllOf(HasSubstr("the run STOPS"), HasSubstr("no metadata.jsonl"),
                                 HasSubstr("not exactly one JSON value"), HasSubstr("0000.jpg")));
  EXPECT_EQ(answer({"judge", "check", "genevall", folder.string()}).exit_code, 2);
  EXPECT_THAT(answer({"judge", "check", "genevall", folder.string()}).err,
              HasSubstr("Did you mean 'geneval'"));
  EXPECT_EQ(answer({"judge", "check", "fid", (folder / "none").string()}).exit_code, 3);
}

TEST(JudgeCommand, PrintsPromptsALineEach) {
  const Answer printed = answer({"judge", "prompts", "imagereward", "--prompts",
                                 judges_golden("imagereward_prompts.json").string()});
  EXPECT_EQ(printed.exit_code, 0);
  EXPECT_THAT(printed.out,
              testing::StartsWith("a paper boat on a puddle\ntwo foxes, oil on canvas\n"));
}

TEST(JudgeJson, ReadsPythonsNumbersAndSaysWhereItBreaks) {
  const JudgeJson json =
      parse_judge_json("{\"psnr\": Infinity, \"text\": \"NaN \\\" NaN\"}", "x.json");
  EXPECT_TRUE(std::isinf(number_member(json, "psnr", "x.json")));
  EXPECT_EQ(json["text"], "NaN \" NaN");
  try {
    (void)parse_judge_json("{\n \"a\": ,}", "x.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::StartsWith("x.json:2:"));
  }
  EXPECT_THROW((void)parse_judge_json(std::string(1000, '['), "deep.json"), Error);
  EXPECT_EQ(python_json({{"é", {1, 2.5}}, {"b", nullptr}}), "{\"\\u00e9\": [1, 2.5], \"b\": null}");
}

TEST(JudgeCsv, KeepsQuotesAndCountsLines) {
  const CsvTable table("a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n2,w\r\n", "t.csv");
  ASSERT_EQ(table.rows().size(), 2U);
  EXPECT_EQ(table.cell(table.rows()[0], "b"), "x, \"y\"\nz");
  EXPECT_EQ(table.rows()[1].line, 4);
  EXPECT_THROW(CsvTable("a,b\n1\n", "t.csv"), Error);
  EXPECT_THROW(CsvTable("a\n\"1\n", "t.csv"), Error);
  EXPECT_THROW((void)table.column("c"), Error);
}

}  // namespace
}  // namespace kvscope
