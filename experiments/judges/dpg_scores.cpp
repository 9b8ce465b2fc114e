#include "experiments/judges/dpg_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/error.h"
#include "experiments/judges/dpg_files.h"
#include "experiments/judges/dpg_questions.h"
#include "experiments/judges/judge_text.h"

namespace kvscope {
namespace {

/// Which answers the categories are made of.
enum class CategoryRule { kLastTileRaw, kAllTilesRaw, kAllTilesAfterDependency };

/// Everything that the files say.
struct Judged {
  std::vector<DpgItem> items;
  std::map<std::string, DpgAnswers> answers;
  std::optional<DpgPrinted> printed;
  std::vector<std::string> failed;
  int64_t tile_pixels = 0;
};

/// Sums of a category.
struct CategorySum {
  double yes = 0;
  int64_t questions = 0;
  [[nodiscard]] double percent() const { return 100 * yes / static_cast<double>(questions); }
};

struct Categories {
  std::map<std::string, CategorySum> broad;
  std::map<std::string, CategorySum> detailed;
  void add(const DpgQuestion& question, double value) {
    for (CategorySum* sum : {&broad[question.broad], &detailed[question.detailed]}) {
      sum->yes += value;
      ++sum->questions;
    }
  }
};

bool is_complete(const DpgAnswers& answers, size_t from) {
  return std::ranges::all_of(answers, [&](const auto& tile) {
    return std::all_of(tile.begin() + static_cast<std::ptrdiff_t>(std::min(from, tile.size())),
                       tile.end(), [](const auto& answer) { return answer.has_value(); });
  });
}

/// Adds the pictures up. With `drops_first_row` as the judge does, which leaves out the first
/// question of the first item.
JudgeJson totals_of(const Judged& judged, bool drops_first_row, CategoryRule rule) {
  JudgeJson totals;
  Categories categories;
  std::vector<double> means;
  JudgeJson not_scored = JudgeJson::array();
  JudgeJson images = JudgeJson::object();
  for (const DpgItem& item : judged.items) {
    const size_t from = drops_first_row && &item == &judged.items.front() ? 1 : 0;
    const auto found = judged.answers.find(item.key);
    std::vector<double> tiles;
    bool is_scored = found != judged.answers.end() && from < item.questions.size() &&
                     is_complete(found->second, from);
    std::vector<std::vector<double>> values;  // after dependencies, of each tile
    for (size_t tile = 0; is_scored && tile < found->second.size(); ++tile) {
      const auto after =
          dpg_values_after_dependency(item, dpg_raw_values(found->second[tile]), from);
      is_scored = after.has_value();
      if (!is_scored) break;
      values.push_back(*after);
      tiles.push_back(mean_of(*after));
    }
    if (!is_scored) {
      not_scored.push_back(item.key);
      continue;
    }
    means.push_back(mean_of(tiles));
    images[item.key] = {{"tiles", tiles}, {"mean", means.back()}};
    for (size_t tile = 0; tile < values.size(); ++tile) {
      if (rule == CategoryRule::kLastTileRaw && tile + 1 < values.size()) continue;
      const std::vector<double> raw = dpg_raw_values(found->second[tile]);
      for (size_t i = from; i < item.questions.size(); ++i) {
        const bool after = rule == CategoryRule::kAllTilesAfterDependency;
        categories.add(item.questions[i], after ? values[tile][i - from] : raw[i]);
      }
    }
  }
  totals["dpg_score"] = json_number(100 * mean_of(means));
  totals["scored_images"] = means.size();
  totals["not_scored"] = not_scored;
  totals["per_image"] = images;
  for (const auto& [name, sum] : categories.broad) totals["L1"][name] = sum.percent();
  for (const auto& [name, sum] : categories.detailed) totals["L2"][name] = sum.percent();
  return totals;
}

Judged read_files(const ImportRequest& request, JudgeScores& scores) {
  Judged judged;
  const auto is_table = [](const JudgeFile& file) { return file.text.starts_with("item_id,"); };
  for (const JudgeFile& file : request.files) {
    if (is_table(file)) judged.items = read_dpg_items(file.text, file.path.string());
  }
  for (const JudgeFile& file : request.files) {
    if (is_table(file)) continue;
    const bool is_answers = trimmed(file.text).starts_with('{');
    const bool is_detail = is_dpg_detail(file);
    if ((is_answers || is_detail) && judged.items.empty()) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: answers say nothing without their questions: give dpg_bench.csv "
                              "as well",
                              file.path.string()));
    }
    if (is_answers) {
      judged.answers = read_dpg_answers(file, judged.items);
    } else if (is_detail) {
      DpgDetail detail = read_dpg_detail(file, judged.items);
      judged.tile_pixels = detail.tile_pixels;
      for (auto& [key, answers] : detail.answers) judged.answers.try_emplace(key, answers);
      if (!detail.unknown.empty()) {
        scores.notes.push_back(fmt::format("{} lines fit no question, or repeat one: {}",
                                           detail.unknown.size(), first_few(detail.unknown, 3)));
      }
    } else {
      DpgPrinted printed = read_dpg_results(file);
      if (printed.totals.empty() && printed.failed.empty()) {
        refuse_result_file(file,
                           "RES.txt, RES_detail.txt, dpg_bench.csv, what the program prints, "
                           "or answers as JSON");
      }
      judged.failed.insert(judged.failed.end(), printed.failed.begin(), printed.failed.end());
      if (!printed.twice.empty()) {
        scores.notes.push_back("judged more than once: " + first_few(printed.twice));
      }
      if (!judged.printed || printed.totals.contains("per_image")) judged.printed = printed;
    }
  }
  return judged;
}

/// The official totals: as printed, or else as the judge would add up the answers.
JudgeJson official_totals(const Judged& judged) {
  const bool has_answers = !judged.answers.empty();
  if (!judged.printed) return totals_of(judged, true, CategoryRule::kLastTileRaw);
  JudgeJson official = judged.printed->totals;
  if (judged.items.empty() || !official.contains("per_image")) return official;
  JudgeJson not_scored = JudgeJson::array();
  for (const DpgItem& item : judged.items) {
    if (!official["per_image"].contains(item.key)) not_scored.push_back(item.key);
  }
  official["not_scored"] = not_scored;
  if (has_answers && !official.contains("L1")) {
    const JudgeJson again = totals_of(judged, true, CategoryRule::kLastTileRaw);
    official["L1"] = again["L1"];
    official["L2"] = again["L2"];
  }
  return official;
}

void add_corrected(const Judged& judged, JudgeScores& scores) {
  const DpgItem& first = judged.items.front();
  const auto answers = judged.answers.find(first.key);
  const bool has_first = answers == judged.answers.end() || is_complete(answers->second, 0);
  Judged known = judged;
  std::string name = "first_row_kept";
  if (!has_first) {
    // Its first question was never put to the network: nothing can say its answer.
    name = "without_first_item";
    known.items.erase(known.items.begin());
    scores.notes.push_back(
        fmt::format("'{}' is left out of the corrected totals: the judge drops its first question, "
                    "so nobody asked it. To keep it, answer it and give the answers as JSON",
                    first.key));
    if (known.items.empty()) return;
  }
  JudgeJson& totals = scores.totals;
  totals[name] = totals_of(known, false, CategoryRule::kLastTileRaw);
  for (const auto& [suffix, rule] :
       {std::pair("_all_tiles_raw", CategoryRule::kAllTilesRaw),
        std::pair("_all_tiles_after_dependency", CategoryRule::kAllTilesAfterDependency)}) {
    JudgeJson of_rule = totals_of(known, false, rule);
    of_rule.erase("per_image");
    totals[name + suffix] = of_rule;
  }
  totals["missing_images"] = totals[name]["not_scored"];
  double sum = 0;
  for (const auto& [key, image] : totals[name]["per_image"].items())
    sum += image["mean"].get<double>();
  const double corrected = 100 * sum / static_cast<double>(known.items.size());
  totals["missing_counts_as_zero"] = corrected;
  scores.numbers.push_back({.label = "DPG",
                            .variant = "corrected",
                            .value = corrected,
                            .fault = has_first ? "the table's first row is kept, missing pictures "
                                                 "count as 0"
                                               : "missing pictures count as 0; without the first "
                                                 "item, whose first question was not asked"});
}

}  // namespace

JudgeScores dpg_scores(const ImportRequest& request) {
  JudgeScores scores;
  const Judged judged = read_files(request, scores);
  if (!judged.printed && judged.answers.empty()) {
    throw Error(ErrorKind::kInput, "dpg: no results and no answers among the files");
  }
  scores.totals["official"] = official_totals(judged);
  const JudgeJson official = scores.totals["official"];  // others are added beside it
  if (!official.contains("dpg_score")) {
    throw Error(ErrorKind::kInput,
                "dpg: no line 'DPG-Bench score: ...' in the results: are they "
                "of a run that did not end?");
  }
  scores.numbers.push_back({.label = "DPG",
                            .variant = "official",
                            .value = number_of(official["dpg_score"], "DPG-Bench score")});
  if (!judged.answers.empty()) add_corrected(judged, scores);
  if (judged.tile_pixels > 0) scores.totals["resolution"] = judged.tile_pixels;
  if (official.contains("per_image") && !official["per_image"].empty()) {
    scores.totals["pic_num"] = official["per_image"].front()["tiles"].size();
  }
  if (!judged.failed.empty()) {
    scores.totals["failed_lines"] = judged.failed;
    scores.notes.push_back(
        fmt::format("{} files failed, and are left out of the official score: {}",
                    judged.failed.size(), first_few(judged.failed)));
  }
  if (official.contains("not_scored") && !official["not_scored"].empty()) {
    const std::vector<std::string> names = official["not_scored"];
    scores.notes.push_back(
        fmt::format("{} items have no official score: {}", names.size(), first_few(names)));
  }
  if (judged.printed && judged.printed->totals.contains("L1")) {
    scores.notes.emplace_back(
        "official categories are of the last tile, before dependencies; of a run of several "
        "processes (dist_eval.sh: 8) they are scrambled. The totals of all tiles are right");
  }
  return scores;
}

}  // namespace kvscope
