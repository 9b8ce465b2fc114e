#pragma once

#include <filesystem>
#include <vector>

#include "experiments/verify/golden_file.h"
#include "experiments/verify/verify.h"

namespace kvscope::verify {

/// One function a kind: recomputes what the file records and compares it.
std::vector<GroupResult> verify_infinity(GoldenFile& file);
std::vector<GroupResult> verify_infinity_scalekv(GoldenFile& file);
std::vector<GroupResult> verify_infinity_vae(GoldenFile& file);
std::vector<GroupResult> verify_var(GoldenFile& file);
std::vector<GroupResult> verify_vq(GoldenFile& file);
std::vector<GroupResult> verify_janus(GoldenFile& file);
std::vector<GroupResult> verify_llamagen_c2i(GoldenFile& file);
std::vector<GroupResult> verify_llamagen_t2i(GoldenFile& file);
std::vector<GroupResult> verify_gqa_decoder(GoldenFile& file);
std::vector<GroupResult> verify_t5_encoder(GoldenFile& file);
/// Decisions of the cache policy that metadata `name` names (policy.h).
std::vector<GroupResult> verify_policy(GoldenFile& file);
/// `path`: {"cases": [{text, ids, max_length?}]} with one .model in the same folder, or the one
/// that "model" names.
std::vector<GroupResult> verify_sp_cases(const std::filesystem::path& path);
/// `path`: {"bos": id, "cases": [{text, ids}]} with one folder beside it that holds a
/// tokenizer.json, in one form or several, or the one that "tokenizer" names.
std::vector<GroupResult> verify_bpe_cases(const std::filesystem::path& path);

/// True where the JSON file at `path` is a list of cases of that kind.
bool is_sp_cases(const std::filesystem::path& path);
bool is_bpe_cases(const std::filesystem::path& path);

}  // namespace kvscope::verify
