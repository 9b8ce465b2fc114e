#pragma once

#include <filesystem>
#include <vector>

#include "experiments/verify/golden_file.h"
#include "experiments/verify/verify.h"

namespace kvscope::verify {

/// One function per kind, verify_NAME(file): recomputes what the file records and compares it.
#define KVSCOPE_VERIFY_KIND(name, kind, summary) \
  std::vector<GroupResult> verify_##name(GoldenFile& file);
#include "experiments/verify/kinds.def"
#undef KVSCOPE_VERIFY_KIND

/// `path`: {"cases": [{text, ids, max_length?}]} with one .model in the same folder, or the one
/// that "model" names.
std::vector<GroupResult> verify_sp_cases(const std::filesystem::path& path);
/// `path`: {"bos": id, "cases": [{text, ids}]} with one folder beside it that holds a
/// tokenizer.json, in one form or several, or the one that "tokenizer" names.
std::vector<GroupResult> verify_bpe_cases(const std::filesystem::path& path);
/// `path`: {"paired": [{x, y, ...}], "multiple": [{p, ...}], "summary": [{x, ...}],
/// "distributions": {NAME: [[arguments..., value]]}}, any of them, as tests/golden/stats.json has
/// them.
std::vector<GroupResult> verify_statistics_cases(const std::filesystem::path& path);

/// True where the JSON file at `path` holds cases of that kind.
bool is_sp_cases(const std::filesystem::path& path);
bool is_bpe_cases(const std::filesystem::path& path);
bool is_statistics_cases(const std::filesystem::path& path);

}  // namespace kvscope::verify
