#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/text/tokenizers/sentencepiece.h"
#include "experiments/verify/kinds.h"
#include "experiments/verify/text/tokenizer_cases.h"

namespace kvscope::verify {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

fs::path tokenizer_of(const fs::path& path, const json& file) {
  if (file.contains("model") && file["model"].is_string()) {
    return path.parent_path() / fs::path(file["model"].get<std::string>()).filename();
  }
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::vector<std::string> models;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".model") models.push_back(entry.path().filename().string());
  }
  if (models.size() != 1) {
    fail_cases(path,
               fmt::format("{} .model files beside it; expected one, or its name under \"model\"",
                           models.size()));
  }
  return folder / models.front();
}

}  // namespace

bool is_sp_cases(const fs::path& path) {
  const json file = read_case_file(path);
  if (!file.is_object() || !file.contains("cases")) return false;
  if (file.contains("kind")) return file["kind"] == "sp_cases";
  return file.contains("eos") && file.contains("pad") && file.contains("unk");
}

std::vector<GroupResult> verify_sp_cases(const fs::path& path) {
  const json file = read_case_file(path);
  const fs::path tokenizer = tokenizer_of(path, file);
  const SentencePiece pieces = SentencePiece::from_file(tokenizer);
  const auto encode = [&](const TokenizerCase& entry) {
    return pieces.encode(entry.text, entry.max_length);
  };
  return {check_cases("ids", tokenizer_cases(path, file), encode, tokenizer.filename().string())};
}

}  // namespace kvscope::verify
