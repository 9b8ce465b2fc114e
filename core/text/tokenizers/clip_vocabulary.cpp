#include "core/text/tokenizers/clip_vocabulary.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/opened_files.h"
#include "core/base/text_file.h"
#include "core/text/pattern.h"
#include "core/text/tokenizers/byte_level.h"
#include "core/text/tokenizers/json_reader.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBytes = 256;
constexpr size_t kMostMerges = 49408 - 2 * kBytes - 2;  // of 49408 tokens
constexpr size_t kMostTextBytes = size_t{64} << 20;
constexpr std::string_view kStartTexts[] = {"<|startoftext|>", "<start_of_text>"};
constexpr std::string_view kEndTexts[] = {"<|endoftext|>", "<end_of_text>"};

[[noreturn]] void refuse(const fs::path& file, const std::string& what) {
  throw Error(ErrorKind::kInput, fmt::format("{}: {}", file.string(), what));
}

/// The text of a file, unpacked where it is gzipped.
std::string text_of(const fs::path& path) {
  OpenedFiles::note(path);
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) refuse(path, "cannot be read");
  std::string text;
  std::vector<char> part(size_t{1} << 16);
  int count = 0;
  while ((count = gzread(file, part.data(), static_cast<unsigned>(part.size()))) > 0) {
    text.append(part.data(), static_cast<size_t>(count));
    if (text.size() > kMostTextBytes) break;
  }
  const bool is_whole = gzclose(file) == Z_OK && count == 0;
  if (!is_whole) refuse(path, "is cut, damaged, or larger than any vocabulary");
  check_utf8(text, path.string());
  return text;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// "left right" a line, behind a header.
BytePairModel::Merges merges_of(const fs::path& path, const std::string& text) {
  BytePairModel::Merges merges;
  const std::vector<std::string_view> lines = lines_of(text);
  for (size_t i = 1; i < lines.size() && merges.size() < kMostMerges; ++i) {
    const std::string_view line = lines[i];
    const size_t blank = line.find(' ');
    if (line.empty() && i + 1 == lines.size()) break;
    const bool is_pair = blank != line.npos && blank > 0 && blank + 1 < line.size() &&
                         line.find(' ', blank + 1) == line.npos;
    if (!is_pair) {
      refuse(path, fmt::format("line {}: expected two parts of a merge, found '{}'", i + 1,
                               line.substr(0, 60)));
    }
    merges.emplace_back(line.substr(0, blank), line.substr(blank + 1));
  }
  return merges;
}

/// Characters of the bytes in the order of their ids: printable ones first.
std::vector<std::string> byte_characters() {
  const auto is_printable = [](int byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
  };
  std::vector<std::string> characters;
  for (const bool printable : {true, false}) {
    for (int byte = 0; byte < static_cast<int>(kBytes); ++byte) {
      const char letter = static_cast<char>(byte);
      if (is_printable(byte) == printable) characters.push_back(byte_level_text({&letter, 1}));
    }
  }
  return characters;
}

/// OpenAI's: bytes, bytes that end a word, merges, start, end.
ClipVocabulary of_merges(const fs::path& path, const std::string& text) {
  ClipVocabulary vocabulary{.merges = merges_of(path, text)};
  int64_t id = 0;
  for (const std::string& character : byte_characters()) {
    vocabulary.tokens.emplace_back(character, id++);
  }
  for (const std::string& character : byte_characters()) {
    vocabulary.tokens.emplace_back(character + kClipEndOfWord, id++);
  }
  for (const auto& [left, right] : vocabulary.merges) {
    vocabulary.tokens.emplace_back(left + right, id++);
  }
  vocabulary.start = id++;
  vocabulary.end = id;
  return vocabulary;
}

/// Takes out a special token, under whichever name, and answers its id.
std::optional<int64_t> take(BytePairModel::Vocabulary& tokens,
                            std::span<const std::string_view> names) {
  const auto found = std::ranges::find_if(tokens, [&](const auto& token) {
    return std::ranges::find(names, token.first) != names.end();
  });
  if (found == tokens.end()) return std::nullopt;
  const int64_t id = found->second;
  tokens.erase(found);
  return id;
}

ClipVocabulary of_tokens(const fs::path& path,
                         const JsonReader& tokens,
                         BytePairModel::Merges merges) {
  ClipVocabulary vocabulary{.merges = std::move(merges)};
  for (const auto& [token, id] : tokens.members()) {
    vocabulary.tokens.emplace_back(token, id.integer());
  }
  const auto start = take(vocabulary.tokens, kStartTexts);
  const auto end = take(vocabulary.tokens, kEndTexts);
  if (!start || !end) {
    refuse(path,
           fmt::format("no token {} or {}: no vocabulary of CLIP", kStartTexts[0], kEndTexts[0]));
  }
  vocabulary.start = *start;
  vocabulary.end = *end;
  return vocabulary;
}

ClipVocabulary of_tokenizer_json(const fs::path& path) {
  const nlohmann::json json = parse_json(text_of(path), path.string());
  const JsonReader model = JsonReader(json, path.string() + ": ").at("model");
  BytePairModel::Merges merges;
  for (const JsonReader& merge : model.at("merges").items()) {
    if (merge.is_string()) {
      const std::string& text = merge.text();
      const size_t blank = text.find(' ');
      if (blank == text.npos) merge.fail("expected two parts with a blank between them");
      merges.emplace_back(text.substr(0, blank), text.substr(blank + 1));
      continue;
    }
    const std::vector<JsonReader> parts = merge.items();
    if (parts.size() != 2) merge.fail("expected two parts of a merge");
    merges.emplace_back(parts[0].text(), parts[1].text());
  }
  return of_tokens(path, model.at("vocab"), std::move(merges));
}

ClipVocabulary of_vocab_json(const fs::path& path) {
  const fs::path merges = path.parent_path() / "merges.txt";
  const nlohmann::json json = parse_json(text_of(path), path.string());
  return of_tokens(path, JsonReader(json, path.string() + ": "),
                   merges_of(merges, text_of(merges)));
}

fs::path file_in(const fs::path& folder) {
  std::error_code unknown;
  for (const char* name : {"tokenizer.json", "vocab.json"}) {
    if (fs::is_regular_file(folder / name, unknown)) return folder / name;
  }
  std::vector<fs::path> lists;
  for (const auto& entry : fs::directory_iterator(folder, unknown)) {
    const std::string name = entry.path().filename().string();
    const bool is_list = name.ends_with(".txt.gz") || name.ends_with(".txt");
    if (name.starts_with("bpe") && is_list) lists.push_back(entry.path());
  }
  if (lists.size() == 1) return lists.front();
  refuse(folder, fmt::format("{} lists of merges (bpe*.txt.gz); expected one, a tokenizer.json, or "
                             "vocab.json with merges.txt",
                             lists.size()));
}

}  // namespace

ClipVocabulary read_clip_vocabulary(const fs::path& path) {
  std::error_code unknown;
  const fs::path file = fs::is_directory(path, unknown) ? file_in(path) : path;
  if (!fs::is_regular_file(file, unknown)) refuse(file, "no such file");
  if (file.extension() != ".json") return of_merges(file, text_of(file));
  return file.filename() == "vocab.json" ? of_vocab_json(file) : of_tokenizer_json(file);
}

}  // namespace kvscope
