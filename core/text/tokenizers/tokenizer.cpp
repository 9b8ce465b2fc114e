#include "core/text/tokenizers/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>

#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/text/pattern.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

fs::path tokenizer_in(const fs::path& folder) {
  std::vector<std::string> models;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".model") models.push_back(entry.path().filename().string());
  }
  if (models.size() == 1) return folder / models.front();
  const fs::path json = folder / "tokenizer.json";
  if (fs::exists(json)) return json;
  if (models.empty()) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: the folder holds no tokenizer; expected a SentencePiece .model or "
                            "a tokenizer.json",
                            folder.string()));
  }
  std::ranges::sort(models);
  throw Error(ErrorKind::kInput,
              fmt::format("{}: the folder holds {} .model files; name the one that is meant: {}",
                          folder.string(), models.size(), fmt::join(models, ", ")));
}

bool is_json(const fs::path& file) {
  if (file.extension() == ".json") return true;
  if (file.extension() == ".model") return false;
  const MappedFile content(file);
  for (const std::byte byte : content.bytes()) {
    const auto letter = static_cast<unsigned char>(byte);
    if (std::isspace(letter) == 0) return letter == '{';
  }
  return false;
}

}  // namespace

Tokenizer open_tokenizer(const fs::path& path) {
  const fs::path file = fs::is_directory(path) ? tokenizer_in(path) : path;
  if (is_json(file)) return BytePairTokenizer::from_file(file);
  return SentencePiece::from_file(file);
}

std::vector<int64_t> tokenize(const Tokenizer& tokenizer, std::string_view text) {
  check_utf8(text, "text to tokenize");
  return std::visit([&](const auto& kind) { return kind.encode(text); }, tokenizer);
}

}  // namespace kvscope
