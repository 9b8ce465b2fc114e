#include <ATen/ATen.h>
#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "analysis/verify/group_check.h"
#include "analysis/verify/kinds.h"
#include "core/base/error.h"
#include "core/text/sentencepiece.h"

namespace kvscope::verify {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const std::string& message) {
  throw Error(ErrorKind::kInput, path.string() + ": " + message);
}

json read(const fs::path& path) {
  std::ifstream stream(path);
  if (!stream || !fs::is_regular_file(path)) fail(path, "cannot be read");
  try {
    return json::parse(stream);
  } catch (const json::exception& error) {
    fail(path, std::string("is not JSON: ") + error.what());
  }
}

fs::path tokenizer_of(const fs::path& path, const json& list) {
  if (list.contains("model") && list["model"].is_string()) {
    return path.parent_path() / fs::path(list["model"].get<std::string>()).filename();
  }
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::vector<std::string> models;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".model") models.push_back(entry.path().filename().string());
  }
  if (models.size() != 1) {
    fail(path, fmt::format("{} .model files beside it; expected one, or its name under \"model\"",
                           models.size()));
  }
  return folder / models.front();
}

std::vector<int64_t> ids_of(const fs::path& path, const json& entry, size_t index) {
  std::vector<int64_t> ids;
  if (entry.contains("ids") && entry["ids"].is_array()) {
    for (const json& id : entry["ids"]) {
      if (!id.is_number_integer()) fail(path, fmt::format("case {}: ids are not integers", index));
      ids.push_back(id.get<int64_t>());
    }
    return ids;
  }
  fail(path, fmt::format("case {}: expected a list \"ids\"", index));
}

std::optional<int64_t> length_of(const fs::path& path, const json& entry, size_t index) {
  if (!entry.contains("max_length")) return std::nullopt;
  if (entry["max_length"].is_number_integer()) return entry["max_length"].get<int64_t>();
  fail(path, fmt::format("case {}: \"max_length\" is no integer", index));
}

}  // namespace

bool is_sp_cases(const fs::path& path) {
  const json list = read(path);
  if (!list.is_object() || !list.contains("cases")) return false;
  if (list.contains("kind")) return list["kind"] == "sp_cases";
  return list.contains("eos") && list.contains("pad") && list.contains("unk");
}

std::vector<GroupResult> verify_sp_cases(const fs::path& path) {
  const json list = read(path);
  const fs::path tokenizer = tokenizer_of(path, list);
  const SentencePiece pieces = SentencePiece::from_file(tokenizer);
  const json& cases = list["cases"];
  if (!cases.is_array() || cases.empty()) fail(path, "\"cases\" must be a list with entries");
  GroupCheck check("ids", 0);
  int64_t wrong = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    const json& entry = cases[i];
    if (!entry.is_object() || !entry.contains("text") || !entry["text"].is_string()) {
      fail(path, fmt::format("case {}: expected a string \"text\"", i));
    }
    const std::vector<int64_t> recorded = ids_of(path, entry, i);
    const std::vector<int64_t> computed =
        pieces.encode(entry["text"].get<std::string>(), length_of(path, entry, i));
    if (computed != recorded) ++wrong;
    check.compare(at::tensor(computed, at::kLong), at::tensor(recorded, at::kLong),
                  fmt::format("case {}", i));
  }
  return {check.result(fmt::format("{} of {} cases equal, {}", cases.size() - wrong, cases.size(),
                                   tokenizer.filename().string()))};
}

}  // namespace kvscope::verify
