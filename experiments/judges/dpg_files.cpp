#include "experiments/judges/dpg_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/error.h"
#include "experiments/judges/folder_reading.h"
#include "experiments/judges/judge_text.h"
#include "experiments/judges/printed_values.h"

namespace kvscope {
namespace {

constexpr std::string_view kFailed = "Failed filename: ";

using Box = std::array<int64_t, 4>;

/// "PATH, (0, 0, 8, 8), REST" in parts.
struct DetailLine {
  std::string_view path{};
  Box box{};
  std::string_view rest{};
};

std::optional<DetailLine> detail_line(std::string_view line) {
  for (size_t begin = line.find(", ("); begin != std::string_view::npos;
       begin = line.find(", (", begin + 1)) {
    DetailLine parts{.path = line.substr(0, begin)};
    const char* place = line.data() + begin + 3;
    const char* const end = line.data() + line.size();
    bool fits = true;
    for (size_t i = 0; i < parts.box.size() && fits; ++i) {
      const auto [behind, error] = std::from_chars(place, end, parts.box[i]);
      const std::string_view follows = i + 1 < parts.box.size() ? ", " : "), ";
      fits = error == std::errc() &&
             std::string_view(behind, static_cast<size_t>(end - behind)).starts_with(follows);
      place = fits ? behind + follows.size() : behind;
    }
    if (!fits) continue;
    parts.rest = {place, static_cast<size_t>(end - place)};
    return parts;
  }
  return std::nullopt;
}

/// The scores at the end of "PATH, 0.5, ..., 0.5", and the path in front of them.
std::optional<std::pair<std::string_view, std::vector<double>>> score_line(std::string_view line) {
  std::vector<double> scores;
  while (true) {
    const size_t comma = line.rfind(", ");
    if (comma == std::string_view::npos) break;
    const auto value = number_text(line.substr(comma + 2));
    if (!value) break;
    scores.insert(scores.begin(), *value);
    line = line.substr(0, comma);
  }
  if (scores.size() < 2) return std::nullopt;
  return std::pair(line, scores);
}

}  // namespace

std::string dpg_key(std::string_view path) {
  const std::string_view name = name_of_place(path);
  return std::string(name.substr(0, name.find('.')));
}

DpgPrinted read_dpg_results(const JudgeFile& file) {
  DpgPrinted printed;
  JudgeJson& totals = printed.totals;
  std::string level;
  for (const TextLine& line : lines_of(file.text)) {
    const std::string where = fmt::format("{}:{}", file.path.string(), line.number);
    if (line.text.starts_with(kFailed)) {
      printed.failed.emplace_back(line.text);
    } else if (line.text.starts_with("L1 category") || line.text.starts_with("L2 category")) {
      level = line.text.substr(0, 2);
    } else if (line.text.starts_with('\t') && !level.empty()) {
      const size_t colon = line.text.rfind(": ");
      const auto value =
          colon == std::string_view::npos ? std::nullopt : number_text(line.text.substr(colon + 2));
      if (!value) throw Error(ErrorKind::kInput, where + ": expected 'category: score'");
      totals[level][std::string(trimmed(line.text.substr(0, colon)))] = json_number(*value);
    } else if (const auto scores = score_line(line.text)) {
      const std::string key = dpg_key(scores->first);
      JudgeJson& image = totals["per_image"][key];
      if (!image.is_null()) printed.twice.push_back(key);
      std::vector<double> tiles = scores->second;
      const double mean = tiles.back();
      tiles.pop_back();
      image = {{"tiles", tiles}, {"mean", json_number(mean)}};
    }
  }
  if (const auto score = printed_value(file, "DPG-Bench score")) {
    totals["dpg_score"] = json_number(*score);
  }
  if (totals.contains("per_image")) totals["scored_images"] = totals["per_image"].size();
  return printed;
}

bool is_dpg_detail(const JudgeFile& file) {
  const auto lines = lines_of(file.text);
  return !lines.empty() && detail_line(lines.front().text).has_value();
}

DpgDetail read_dpg_detail(const JudgeFile& file, const std::vector<DpgItem>& items) {
  std::map<std::string, const DpgItem*> item_of;
  for (const DpgItem& item : items) item_of[item.key] = &item;
  std::map<std::string, std::map<Box, size_t>> tiles;
  DpgDetail detail;
  for (const TextLine& line : lines_of(file.text)) {
    if (trimmed(line.text).empty()) continue;
    const auto parts = detail_line(line.text);
    if (!parts) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}:{}: expected 'PATH, (x0, y0, x1, y1), QUESTION, ANSWER'",
                              file.path.string(), line.number));
    }
    const std::string key = dpg_key(parts->path);
    const auto found = item_of.find(key);
    if (found == item_of.end()) {
      detail.unknown.push_back(fmt::format("{}:{}: {}", file.path.string(), line.number, key));
      continue;
    }
    const DpgItem& item = *found->second;
    DpgAnswers& answers = detail.answers[key];
    const auto [tile, is_new] = tiles[key].emplace(parts->box, answers.size());
    if (is_new) answers.emplace_back(item.questions.size());
    if (detail.tile_pixels == 0) detail.tile_pixels = parts->box[2] - parts->box[0];
    auto& row = answers[tile->second];
    size_t question = 0;
    for (; question < item.questions.size(); ++question) {
      const std::string begin = item.questions[question].text + ", ";
      if (!parts->rest.starts_with(begin) || row[question]) continue;
      row[question] = std::string(parts->rest.substr(begin.size()));
      break;
    }
    if (question == item.questions.size()) {
      detail.unknown.push_back(
          fmt::format("{}:{}: {}", file.path.string(), line.number, parts->rest));
    }
  }
  return detail;
}

std::map<std::string, DpgAnswers> read_dpg_answers(const JudgeFile& file,
                                                   const std::vector<DpgItem>& items) {
  const std::string name = file.path.string();
  const JudgeJson json = parse_judge_json(file.text, name);
  std::map<std::string, DpgAnswers> all;
  for (const auto& [key, tiles] : json.items()) {
    const auto item = std::ranges::find(items, key, &DpgItem::key);
    const auto refuse = [&, &item_key = key](const std::string& what) {
      throw Error(ErrorKind::kInput, fmt::format("{}: '{}': {}", name, item_key, what));
    };
    if (item == items.end()) refuse("no such item in the table of questions");
    if (!tiles.is_array() || tiles.empty()) refuse("expected a list of tiles");
    for (const JudgeJson& tile : tiles) {
      if (!tile.is_array() || tile.size() != item->questions.size()) {
        refuse(fmt::format("expected {} answers a tile", item->questions.size()));
      }
      auto& row = all[key].emplace_back();
      for (const JudgeJson& answer : tile) {
        if (!answer.is_string() && !answer.is_null()) refuse("expected texts as answers");
        row.push_back(answer.is_null() ? std::nullopt : std::optional(answer.get<std::string>()));
      }
    }
  }
  return all;
}

}  // namespace kvscope
