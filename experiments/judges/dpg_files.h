#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "experiments/judges/dpg_questions.h"
#include "experiments/judges/judge_scores.h"

namespace kvscope {

/// What compute_dpg_bench.py wrote into RES.txt.
struct DpgPrinted {
  JudgeJson totals = JudgeJson::object();  ///< as JudgeScores has it under "official"
  std::vector<std::string> failed{};       ///< its lines "Failed filename: ..."
  std::vector<std::string> twice{};        ///< keys of pictures that have several lines
};

/// Results and what the program prints, lines of both in any mixture. Throws Error(kInput)
/// "file:line: ..." for a score that is no number.
DpgPrinted read_dpg_results(const JudgeFile& file);

/// The answers of RES_detail.txt by picture, and what the tiles say.
struct DpgDetail {
  std::map<std::string, DpgAnswers> answers{};
  int64_t tile_pixels = 0;
  std::vector<std::string> unknown{};  ///< lines of pictures or questions that the table lacks
};

/// "PATH, (x0, y0, x1, y1), QUESTION, ANSWER" a line, nothing in quotes; questions may hold commas,
/// lines of several processes may be mixed. Throws Error(kInput) for a line of another form.
DpgDetail read_dpg_detail(const JudgeFile& file, const std::vector<DpgItem>& items);
bool is_dpg_detail(const JudgeFile& file);

/// {key: [tile][question]} of JSON. Throws Error(kInput) where it does not fit `items`.
std::map<std::string, DpgAnswers> read_dpg_answers(const JudgeFile& file,
                                                   const std::vector<DpgItem>& items);

/// The name of a picture up to its first dot: how the judge finds its item.
std::string dpg_key(std::string_view path);

}  // namespace kvscope
