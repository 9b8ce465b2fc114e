#pragma once

#include <vector>

#include "experiments/verify/golden_file.h"
#include "experiments/verify/metrics/recorded_pairs.h"
#include "experiments/verify/verify.h"

namespace kvscope::verify {

// The groups of a recorded run of image metrics.

/// Errors, PSNR, SSIM and MS-SSIM of pairs, in every recorded variant.
std::vector<GroupResult> check_pair_values(GoldenFile& file,
                                           const std::vector<RecordedPair>& pairs);
/// Pictures resized by each convention.
std::vector<GroupResult> check_resizing(GoldenFile& file);
/// Perceptual distances of pairs by both networks, whose weights are those of a formula.
std::vector<GroupResult> check_perceptual(GoldenFile& file, const std::vector<RecordedPair>& pairs);
/// Features of the Inception network, likewise.
std::vector<GroupResult> check_inception(GoldenFile& file);
/// Frechet distances of recorded sets of features.
std::vector<GroupResult> check_frechet(GoldenFile& file);
/// The formula itself on the tensors that metadata `fill_tests` names.
std::vector<GroupResult> check_formula(GoldenFile& file);

}  // namespace kvscope::verify
