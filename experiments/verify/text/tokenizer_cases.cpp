#include "experiments/verify/text/tokenizer_cases.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/json_finding.h"
#include "experiments/verify/group_check.h"

namespace kvscope::verify {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::vector<int64_t> ids_of(const fs::path& path, const json& entry, size_t index) {
  std::vector<int64_t> ids;
  if (entry.contains("ids") && entry["ids"].is_array()) {
    for (const json& id : entry["ids"]) {
      if (!id.is_number_integer()) {
        fail_cases(path, fmt::format("case {}: ids are not integers", index));
      }
      ids.push_back(id.get<int64_t>());
    }
    return ids;
  }
  fail_cases(path, fmt::format("case {}: expected a list \"ids\"", index));
}

std::optional<int64_t> length_of(const fs::path& path, const json& entry, size_t index) {
  if (!entry.contains("max_length")) return std::nullopt;
  if (entry["max_length"].is_number_integer()) return entry["max_length"].get<int64_t>();
  fail_cases(path, fmt::format("case {}: \"max_length\" is no integer", index));
}

}  // namespace

void fail_cases(const fs::path& path, const std::string& message) {
  throw Error(ErrorKind::kInput, path.string() + ": " + message);
}

json read_case_file(const fs::path& path) {
  std::ifstream stream(path);
  if (!stream || !fs::is_regular_file(path)) fail_cases(path, "cannot be read");
  try {
    return json::parse(stream);
  } catch (const json::exception& error) {
    fail_cases(path, std::string("is not JSON: ") + json_finding(error));
  }
}

std::vector<TokenizerCase> tokenizer_cases(const fs::path& path, const json& file) {
  const json& list = file.at("cases");
  if (!list.is_array() || list.empty()) fail_cases(path, "\"cases\" must be a list with entries");
  std::vector<TokenizerCase> cases;
  for (size_t i = 0; i < list.size(); ++i) {
    const json& entry = list[i];
    if (!entry.is_object() || !entry.contains("text") || !entry["text"].is_string()) {
      fail_cases(path, fmt::format("case {}: expected a string \"text\"", i));
    }
    cases.push_back(
        {entry["text"].get<std::string>(), ids_of(path, entry, i), length_of(path, entry, i)});
  }
  return cases;
}

GroupResult check_cases(const std::string& group,
                        const std::vector<TokenizerCase>& cases,
                        const std::function<std::vector<int64_t>(const TokenizerCase&)>& encode,
                        const std::string& tokenizer) {
  GroupCheck check(group, 0);
  size_t equal = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::vector<int64_t> computed = encode(cases[i]);
    if (computed == cases[i].ids) ++equal;
    check.compare(at::tensor(computed, at::kLong), at::tensor(cases[i].ids, at::kLong),
                  fmt::format("case {}", i));
  }
  return check.result(fmt::format("{} of {} cases equal, {}", equal, cases.size(), tokenizer));
}

}  // namespace kvscope::verify
