#pragma once

#include "experiments/judges/judge_scores.h"

namespace kvscope {

/// GenEval's results.jsonl (evaluate_images.py) and what summary_scores.py prints of it: official
/// totals, the mean over the tags present of correct / pictures; corrected ones, where a missing
/// picture counts as wrong and the overall score needs all six tags.
JudgeScores geneval_scores(const ImportRequest& request);

}  // namespace kvscope
