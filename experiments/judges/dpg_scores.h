#pragma once

#include "experiments/judges/judge_scores.h"

namespace kvscope {

/// DPG-Bench's result files: RES.txt, RES_detail.txt, dpg_bench.csv, what it prints, and answers
/// as JSON ({item: [tile][question]}). Official totals as the judge adds them up, and without its
/// faults: the first row of the table dropped, categories of the last tile before dependencies,
/// missing pictures left out.
JudgeScores dpg_scores(const ImportRequest& request);

}  // namespace kvscope
