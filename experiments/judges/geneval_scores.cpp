#include "experiments/judges/geneval_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "core/base/error.h"
#include "experiments/judges/judge_text.h"
#include "experiments/judges/printed_values.h"
#include "experiments/judges/reader_rules.h"

namespace kvscope {
namespace {

constexpr int64_t kSamples = 4;
constexpr std::array<const char*, 6> kTags = {"single_object", "two_object", "counting",
                                              "colors",        "position",   "color_attr"};

/// A prompt as the results have it.
struct JudgedPrompt {
  std::string tag{};
  std::string text{};
  std::string folder{};  ///< ".../00000", in front of /samples/
  std::set<int64_t> samples{};
  int64_t images = 0;
  int64_t correct = 0;
  size_t digits = 5;  ///< of a sample's name
};

/// Prompts in order of appearance, each by its metadata.
struct Results {
  std::vector<JudgedPrompt> prompts;
  std::map<std::string, size_t> place_of;
  std::vector<std::string> repeated;  ///< pictures that have two lines

  [[nodiscard]] std::vector<std::string> tags() const {
    std::vector<std::string> tags;
    for (const JudgedPrompt& prompt : prompts) {
      if (std::ranges::find(tags, prompt.tag) == tags.end()) tags.push_back(prompt.tag);
    }
    return tags;
  }
};

/// "a/00003/samples/00001.png" -> folder, sample's number, its digits.
void note_sample(JudgedPrompt& prompt, const std::string& filename, Results& results) {
  const size_t slash = filename.rfind('/');
  const std::string name = filename.substr(slash == std::string::npos ? 0 : slash + 1);
  const std::string digits = name.substr(0, name.find('.'));
  const size_t samples = filename.rfind("/samples/");
  if (samples != std::string::npos) prompt.folder = filename.substr(0, samples);
  constexpr size_t kMostDigits = 9;
  if (!is_digits(digits) || digits.size() > kMostDigits) return;
  prompt.digits = digits.size();
  if (!prompt.samples.insert(std::stoll(digits)).second) results.repeated.push_back(filename);
}

Results read_results(const JudgeFile& file) {
  Results results;
  for (const TextLine& line : lines_of(file.text)) {
    if (trimmed(line.text).empty()) continue;
    const std::string where = fmt::format("{}:{}", file.path.string(), line.number);
    const JudgeJson item = parse_judge_json(line.text, file.path.string(), line.number);
    const std::string metadata = text_member(item, "metadata", where);
    const JudgeJson& correct = member_of(item, "correct", where);
    if (!correct.is_boolean()) {
      throw Error(ErrorKind::kInput, where + ": 'correct': expected true or false");
    }
    const auto [place, is_new] = results.place_of.emplace(metadata, results.prompts.size());
    if (is_new) {
      results.prompts.push_back(
          {.tag = text_member(item, "tag", where), .text = text_member(item, "prompt", where)});
    }
    JudgedPrompt& prompt = results.prompts[place->second];
    ++prompt.images;
    if (correct.get<bool>()) ++prompt.correct;
    note_sample(prompt, text_member(item, "filename", where), results);
  }
  if (results.prompts.empty()) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}:1: no picture in it: the judge found none. It reads "
                            "NNNNN/samples/NNNNN.png; a .jpg is passed over in silence",
                            file.path.string()));
  }
  return results;
}

struct TagCount {
  int64_t correct = 0;
  int64_t images = 0;
};

double share(int64_t part, int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

JudgeJson official_totals(const Results& results) {
  JudgeJson totals;
  std::map<std::string, TagCount> count;
  TagCount all;
  int64_t correct_prompts = 0;
  for (const JudgedPrompt& prompt : results.prompts) {
    for (TagCount* sum : {&count[prompt.tag], &all}) {
      sum->correct += prompt.correct;
      sum->images += prompt.images;
    }
    if (prompt.correct > 0) ++correct_prompts;
  }
  totals["images"] = all.images;
  totals["prompts"] = results.prompts.size();
  totals["correct_images"] = share(all.correct, all.images);
  totals["correct_prompts"] = share(correct_prompts, std::ssize(results.prompts));
  std::vector<double> scores;
  for (const std::string& tag : results.tags()) {
    scores.push_back(share(count[tag].correct, count[tag].images));
    totals["tasks"][tag] = {
        {"score", scores.back()}, {"correct", count[tag].correct}, {"images", count[tag].images}};
  }
  totals["task_order"] = results.tags();
  totals["overall"] = mean_of(scores);
  return totals;
}

std::string sample_path(const JudgedPrompt& prompt, int64_t sample) {
  return fmt::format("{}/samples/{:0{}}.png", prompt.folder, sample, prompt.digits);
}

/// What a list asks for and the results do not have at all, as prompts without pictures.
std::vector<JudgedPrompt> unjudged(const Results& results, const std::optional<PromptList>& list) {
  std::vector<JudgedPrompt> missing;
  if (!list) return missing;
  std::set<std::string> seen;
  for (const JudgedPrompt& prompt : results.prompts) seen.insert(prompt.text);
  for (const JudgePrompt& prompt : list->prompts) {
    if (seen.contains(prompt.text)) continue;
    missing.push_back({.tag = prompt.group, .text = prompt.text, .folder = prompt.key});
  }
  return missing;
}

JudgeJson corrected_totals(const Results& results,
                           const ImportRequest& request,
                           JudgeScores& scores) {
  const int64_t samples = request.samples > 0 ? request.samples : kSamples;
  std::vector<JudgedPrompt> prompts = results.prompts;
  for (JudgedPrompt& prompt : unjudged(results, request.prompts)) prompts.push_back(prompt);
  JudgeJson totals;
  int64_t expected_images = 0;
  JudgeJson missing = JudgeJson::array();
  std::map<std::string, TagCount> count;
  for (const JudgedPrompt& prompt : prompts) {
    const int64_t expected = std::max(samples, prompt.images);
    expected_images += expected;
    count[prompt.tag].correct += prompt.correct;
    count[prompt.tag].images += expected;
    int64_t lacking = expected - prompt.images;
    for (int64_t sample = 0; sample < samples && lacking > 0; ++sample) {
      if (prompt.samples.contains(sample)) continue;
      missing.push_back(sample_path(prompt, sample));
      --lacking;
    }
  }
  totals["expected_images"] = expected_images;
  totals["missing"] = missing;
  std::vector<double> shares;
  std::vector<std::string> absent;
  for (const char* tag : kTags) {
    if (!count.contains(tag)) {
      absent.emplace_back(tag);
      continue;
    }
    const TagCount& of_tag = count[tag];
    shares.push_back(share(of_tag.correct, of_tag.images));
    totals["tasks"][tag] = {
        {"score", shares.back()}, {"correct", of_tag.correct}, {"expected", of_tag.images}};
  }
  if (absent.empty()) {
    totals["overall_missing_counts_as_wrong"] = mean_of(shares);
    totals["overall_all_six_tasks"] = official_totals(results)["overall"];
  } else {
    totals["overall_missing_counts_as_wrong"] = nullptr;
    totals["overall_all_six_tasks"] = nullptr;
    scores.notes.push_back(fmt::format(
        "no overall score without these tasks, which have no picture: {}", first_few(absent)));
  }
  if (!missing.empty()) {
    scores.notes.push_back(
        fmt::format("{} of {} pictures are missing; the judge does not count them: {}",
                    missing.size(), expected_images, first_few(missing)));
  }
  return totals;
}

/// Of a file that summary_scores.py printed.
JudgeJson printed_totals(const JudgeFile& file) {
  JudgeJson totals;
  totals["overall"] = *printed_value(file, "Overall score (avg. over tasks)");
  if (const auto images = printed_value(file, "Total images")) totals["images"] = *images;
  if (const auto prompts = printed_value(file, "Total prompts")) totals["prompts"] = *prompts;
  for (const TextLine& line : lines_of(file.text)) {
    const size_t equals = line.text.find(" = ");
    const size_t percent = line.text.find('%');
    if (equals == std::string_view::npos || percent == std::string_view::npos || percent < equals) {
      continue;
    }
    const auto value = number_text(line.text.substr(equals + 3, percent - equals - 3));
    if (value) totals["tasks"][std::string(trimmed(line.text.substr(0, equals)))] = *value / 100;
  }
  return totals;
}

}  // namespace

JudgeScores geneval_scores(const ImportRequest& request) {
  JudgeScores scores;
  std::optional<Results> results;
  for (const JudgeFile& file : request.files) {
    if (printed_value(file, "Overall score (avg. over tasks)")) {
      scores.totals["printed"] = printed_totals(file);
    } else if (results || (!file.text.empty() && !trimmed(file.text).starts_with('{') &&
                           !trimmed(file.text).empty())) {
      refuse_result_file(file, "results.jsonl, and what summary_scores.py prints");
    } else {
      results = read_results(file);
      for (const JudgedPrompt& prompt : results->prompts) scores.prompts.insert(prompt.text);
    }
  }
  if (!results) {
    const double overall = number_of(scores.totals["printed"]["overall"], "overall");
    scores.numbers.push_back(
        {.label = "GenEval", .variant = "official", .value = overall, .decimals = 4});
    scores.notes.emplace_back("of a summary alone nothing can be corrected: give results.jsonl");
    return scores;
  }
  scores.totals["official"] = official_totals(*results);
  scores.totals["corrected"] = corrected_totals(*results, request, scores);
  for (const JudgedPrompt& prompt : results->prompts) {
    const std::filesystem::path folder(prompt.folder);
    scores.totals["folders"][folder.filename().string()] = prompt.text;
  }
  const double official = scores.totals["official"]["overall"];
  if (scores.totals.contains("printed") &&
      std::abs(number_of(scores.totals["printed"]["overall"], "overall") - official) > 1e-5) {
    scores.notes.emplace_back("the summary is of other results: its overall score differs");
  }
  scores.numbers.push_back(
      {.label = "GenEval", .variant = "official", .value = official, .decimals = 4});
  if (const JudgeJson& corrected = scores.totals["corrected"]["overall_missing_counts_as_wrong"];
      corrected.is_number()) {
    scores.numbers.push_back({.label = "GenEval",
                              .variant = "corrected",
                              .value = corrected,
                              .decimals = 4,
                              .fault = "pictures that are missing count as wrong"});
  }
  if (!request.prompts) {
    scores.notes.emplace_back(
        "a prompt without any picture is not in the results and cannot be counted: give --prompts");
  }
  if (!results->repeated.empty()) {
    scores.notes.push_back("judged more than once: " + first_few(results->repeated));
  }
  return scores;
}

}  // namespace kvscope
