#pragma once

#include <string>
#include <vector>

#include "analysis/networks/clip.h"
#include "experiments/verify/golden_file.h"
#include "experiments/verify/verify.h"

namespace kvscope::verify {

/// The tensors below `prefix` ("openai.") as a network.
Clip recorded_clip(GoldenFile& file, const std::string& prefix);

/// Pictures resized, cropped and normalised by each convention.
std::vector<GroupResult> check_clip_pictures(GoldenFile& file);
/// Ids of the prompts in the metadata, by the tokenizer in the folder clip_bpe beside the file.
std::vector<GroupResult> check_clip_ids(GoldenFile& file);
/// Both towers, features and cosines of the model below `name` and a dot.
std::vector<GroupResult> check_clip_model(GoldenFile& file, const std::string& name);
/// Averages of cosines by each convention, and texts without an end token.
std::vector<GroupResult> check_clip_scores(GoldenFile& file);

/// Cases of CLIP's tokenizer with it in the same folder: {sot, eot, context_length, cases: [{text,
/// ids, ids_without_ftfy?, hf_fast_ids?, open_clip_ids?}]}.
std::vector<GroupResult> verify_clip_cases(const std::filesystem::path& path);
bool is_clip_cases(const std::filesystem::path& path);

}  // namespace kvscope::verify
