#pragma once

#include <string>

#include "experiments/judges/judge_scores.h"

namespace kvscope {

/// Values of single pairs as JSON: "mse" or "psnr_each", and "lpips" or "lpips_each"; texts "inf"
/// for identical pairs. Adds to `scores` the mean of the pairs' PSNR as both papers' scripts take
/// it, the PSNR of the mean error, the identical pairs and the mean without them.
/// Returns false where the file holds none of these keys.
bool add_pair_values(const JudgeFile& file, JudgeScores& scores);

/// PSNR in dB of 8-bit pictures with this mean squared error; infinity for 0.
double psnr_of_mse(double mse);

}  // namespace kvscope
