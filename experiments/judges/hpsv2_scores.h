#pragma once

#include "experiments/judges/judge_scores.h"

namespace kvscope {

/// What `hpsv2 evaluate` prints, and scores of single pictures: {style: [cos or null, ...]}, index
/// by index. Official: per style the mean over chunks of 80 of the chunks' means, on average over
/// pictures. Corrected: means over the pictures of a style, on average over styles.
JudgeScores hpsv2_scores(const ImportRequest& request);

}  // namespace kvscope
