#include "experiments/judges/hpsv2_scores.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>
#include <span>

#include "core/base/error.h"
#include "experiments/judges/judge_text.h"

namespace kvscope {
namespace {

constexpr size_t kChunk = 80;
constexpr double kScale = 100;
constexpr std::string_view kMissingLine = "missing image for prompt: ";

/// Of a style: scores of the pictures that are there, and the indices of the others.
struct StyleScores {
  std::string style{};
  std::vector<double> scores{};
  std::vector<int64_t> missing{};
  int64_t expected = 0;
};

std::vector<StyleScores> read_scores(const JudgeFile& file) {
  const std::string name = file.path.string();
  const JudgeJson json = parse_judge_json(file.text, name);
  std::vector<StyleScores> styles;
  for (const auto& [style, list] : json.items()) {
    const std::string where = fmt::format("{}: '{}'", name, style);
    if (!list.is_array()) throw Error(ErrorKind::kInput, where + ": expected a list of cosines");
    StyleScores& scores = styles.emplace_back(StyleScores{.style = style});
    for (const JudgeJson& value : list) {
      if (value.is_null()) {
        scores.missing.push_back(scores.expected);
      } else {
        // The judge's are single precision.
        const double cosine = number_of(value, fmt::format("{}[{}]", where, scores.expected));
        scores.scores.push_back(
            static_cast<double>(static_cast<float>(kScale) * static_cast<float>(cosine)));
      }
      ++scores.expected;
    }
    if (scores.scores.empty()) throw Error(ErrorKind::kInput, where + ": no score in it");
  }
  if (styles.empty()) throw Error(ErrorKind::kInput, name + ": no style in it");
  return styles;
}

JudgeJson official_style(const StyleScores& style) {
  std::vector<double> chunks;
  for (size_t begin = 0; begin < style.scores.size(); begin += kChunk) {
    const auto chunk =
        std::span(style.scores).subspan(begin, std::min(kChunk, style.scores.size() - begin));
    chunks.push_back(mean_of({chunk.begin(), chunk.end()}));
  }
  const double mean = mean_of(chunks);
  double squares = 0;
  for (const double chunk : chunks) squares += (chunk - mean) * (chunk - mean);
  JudgeJson json;
  json["mean_of_chunk_means"] = mean;
  json["std_of_chunk_means"] = std::sqrt(squares / static_cast<double>(chunks.size()));
  json["chunks"] = chunks;
  json["images"] = style.scores.size();
  return json;
}

void add_scores(JudgeScores& scores, const std::vector<StyleScores>& styles) {
  std::vector<double> all;
  std::vector<double> rounded;
  std::vector<double> means;
  JudgeJson& totals = scores.totals;
  std::vector<std::string> missing;
  for (const StyleScores& style : styles) {
    totals["official"]["styles"][style.style] = official_style(style);
    means.push_back(mean_of(style.scores));
    totals["corrected"]["styles"][style.style] = {
        {"mean", means.back()}, {"missing", style.missing}, {"expected", style.expected}};
    for (const double score : style.scores) {
      all.push_back(score);
      rounded.push_back(static_cast<double>(at::Half(static_cast<float>(score))));
    }
    for (const int64_t index : style.missing) {
      missing.push_back(fmt::format("{}/{:05}.jpg", style.style, index));
    }
  }
  totals["official"]["average_over_images"] = mean_of(all);
  totals["corrected"]["average_over_styles"] = mean_of(means);
  totals["corrected"]["average_over_images"] = mean_of(all);
  totals["half_precision_average"] = mean_of(rounded);
  if (!missing.empty()) {
    scores.notes.push_back(
        fmt::format("{} pictures are missing, which shifts the judge's chunks: {}", missing.size(),
                    first_few(missing)));
  }
}

/// "mymodel anime           29.65 \t 0.4806"
void add_printed(JudgeScores& scores, const JudgeFile& file) {
  std::vector<std::string> missing;
  JudgeJson printed;
  bool is_behind_title = false;
  for (const TextLine& line : lines_of(file.text)) {
    if (line.text.starts_with(kMissingLine)) {
      missing.emplace_back(line.text.substr(kMissingLine.size()));
      continue;
    }
    if (line.text.find("benchmark score") != std::string_view::npos) {
      is_behind_title = true;
      printed = JudgeJson::object();
      continue;
    }
    const std::string blank = with_single_blanks(line.text);
    std::vector<std::string_view> words;
    for (std::string_view rest = blank; !rest.empty();) {
      const size_t end = std::min(rest.find(' '), rest.size());
      words.push_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (!is_behind_title || words.size() < 2) continue;
    const bool is_average = line.text.find(" Average ") != std::string_view::npos;
    const size_t numbers = is_average ? 1 : 2;
    if (words.size() < numbers + 1) continue;
    const auto value = number_text(words[words.size() - numbers]);
    if (!value) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}:{}: expected a score behind the style, not '{}'",
                              file.path.string(), line.number, words[words.size() - numbers]));
    }
    if (is_average) {
      printed["average_over_images"] = *value;
      continue;
    }
    JudgeJson& style = printed["styles"][std::string(words[words.size() - 3])];
    style["mean_of_chunk_means"] = *value;
    if (const auto deviation = number_text(words.back())) style["std_of_chunk_means"] = *deviation;
  }
  if (!printed.contains("average_over_images")) {
    throw Error(ErrorKind::kInput, file.path.string() + ": no line of the Average: is it cut?");
  }
  scores.totals["printed"] = printed;
  if (!missing.empty()) {
    scores.totals["printed"]["missing"] = missing;
    scores.notes.push_back(
        fmt::format("{} pictures were missing: {}", missing.size(), first_few(missing)));
  }
}

}  // namespace

JudgeScores hpsv2_scores(const ImportRequest& request) {
  JudgeScores scores;
  for (const JudgeFile& file : request.files) {
    if (file.text.find("benchmark score") != std::string::npos) {
      add_printed(scores, file);
    } else if (trimmed(file.text).starts_with('{')) {
      add_scores(scores, read_scores(file));
    } else {
      refuse_result_file(file, "what hpsv2 evaluate prints, or {style: [cosine or null, ...]}");
    }
  }
  const bool has_scores = scores.totals.contains("corrected");
  const JudgeJson& official = scores.totals[has_scores ? "official" : "printed"];
  scores.numbers.push_back(
      {.label = "HPSv2", .variant = "official", .value = official["average_over_images"]});
  if (has_scores) {
    scores.numbers.push_back({.label = "HPSv2",
                              .variant = "corrected",
                              .value = scores.totals["corrected"]["average_over_styles"],
                              .fault = "means over a style's pictures instead of over chunks of "
                                       "80, and over styles instead of over pictures"});
  } else if (scores.totals["printed"].contains("missing")) {
    scores.notes.emplace_back(
        "what is printed cannot be corrected: the scores of single pictures are needed");
  }
  return scores;
}

}  // namespace kvscope
