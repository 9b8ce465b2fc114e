#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/text/tokenizers/byte_pair_tokenizer.h"
#include "experiments/verify/kinds.h"
#include "experiments/verify/text/tokenizer_cases.h"

namespace kvscope::verify {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// Every form of the tokenizer in `folder`: tokenizer.json, tokenizer_pairs.json, ...
std::vector<fs::path> tokenizers_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool is_tokenizer = name.starts_with("tokenizer") && name.ends_with(".json");
    if (is_tokenizer && name != "tokenizer_config.json") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

std::vector<fs::path> tokenizers_of(const fs::path& path, const json& file) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (file.contains("tokenizer") && file["tokenizer"].is_string()) {
    return {folder / fs::path(file["tokenizer"].get<std::string>()).filename() / "tokenizer.json"};
  }
  if (fs::exists(folder / "tokenizer.json")) return tokenizers_in(folder);
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(folder)) {
    // A tokenizer that has cases of its own is not the one that these are of.
    if (fs::exists(entry.path() / "cases.json")) continue;
    if (fs::exists(entry.path() / "tokenizer.json")) folders.push_back(entry.path());
  }
  if (folders.size() != 1) {
    fail_cases(path, fmt::format("{} folders with a tokenizer.json beside it; expected one, or its "
                                 "name under \"tokenizer\"",
                                 folders.size()));
  }
  return tokenizers_in(folders.front());
}

}  // namespace

bool is_bpe_cases(const fs::path& path) {
  const json file = read_case_file(path);
  if (!file.is_object() || !file.contains("cases")) return false;
  if (file.contains("kind")) return file["kind"] == "bpe_cases";
  return file.contains("bos") && file["bos"].is_number_integer();
}

std::vector<GroupResult> verify_bpe_cases(const fs::path& path) {
  const json file = read_case_file(path);
  const std::vector<TokenizerCase> cases = tokenizer_cases(path, file);
  std::vector<GroupResult> results;
  for (const fs::path& name : tokenizers_of(path, file)) {
    const BytePairTokenizer tokenizer = BytePairTokenizer::from_file(name);
    // The recorded ids begin with BOS; a tokenizer.json alone need not say so.
    const bool framed = !tokenizer.encode("").empty();
    const auto encode = [&](const TokenizerCase& entry) {
      std::vector<int64_t> ids = tokenizer.encode(entry.text);
      if (!framed && file.contains("bos")) ids.insert(ids.begin(), file["bos"].get<int64_t>());
      return ids;
    };
    results.push_back(check_cases(fmt::format("ids {}", name.stem().string()), cases, encode,
                                  name.parent_path().filename().string()));
  }
  return results;
}

}  // namespace kvscope::verify
