#include "core/text/tokenizers/byte_pair_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/foreign_file.h"
#include "core/base/mapped_file.h"
#include "core/text/tokenizers/byte_level.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLongestTextBytes = 4 << 20;

std::string content_of(const fs::path& path) {
  const MappedFile file(path);
  if (const std::string foreign = foreign_file(file.bytes()); !foreign.empty()) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: expected a tokenizer.json, this is {}", path.string(), foreign));
  }
  return {reinterpret_cast<const char*>(file.data()), file.bytes().size()};
}

// Special tokens come first: of equal contents, they win.
AddedTokenFinder finder(const std::vector<AddedToken>& tokens, bool normalized) {
  std::vector<AddedToken> own;
  for (const bool special : {true, false}) {
    std::ranges::copy_if(tokens, std::back_inserter(own), [&](const AddedToken& token) {
      return token.special == special && token.normalized == normalized;
    });
  }
  return AddedTokenFinder(own);
}

}  // namespace

BytePairTokenizer BytePairTokenizer::from_file(const fs::path& path) {
  const fs::path file = fs::is_directory(path) ? path / "tokenizer.json" : path;
  const fs::path config = file.parent_path() / "tokenizer_config.json";
  const bool configured = config != file && fs::exists(config);
  return BytePairTokenizer(read_tokenizer_json(
      content_of(file), file.string(), configured ? content_of(config) : "", config.string()));
}

BytePairTokenizer::BytePairTokenizer(TokenizerJson description)
    : description_(std::move(description)),
      verbatim_(finder(description_.added_tokens, false)),
      normalized_(finder(description_.added_tokens, true)),
      vocabulary_(description_.model.end_id()) {
  for (const AddedToken& token : description_.added_tokens) {
    added_.emplace(token.id, token.content);
    vocabulary_ = std::max(vocabulary_, token.id + 1);
  }
}

void BytePairTokenizer::encode_piece(std::string_view text, std::vector<int64_t>& ids) const {
  const TextPieces pieces = pre_tokenize(description_.pre_tokenizer, text);
  for (const TextRange& piece : pieces.pieces) {
    const std::vector<int64_t> own = description_.model.encode(piece.of(pieces.text));
    ids.insert(ids.end(), own.begin(), own.end());
  }
}

std::vector<int64_t> BytePairTokenizer::encode_plain(std::string_view text) const {
  if (text.size() > kLongestTextBytes) {
    throw Error(ErrorKind::kInput, fmt::format("a text of {} bytes, at most {} are tokenized",
                                               text.size(), kLongestTextBytes));
  }
  check_utf8(text, "text to tokenize");
  std::vector<int64_t> ids;
  for (const auto& outer : verbatim_.parts(text)) {
    if (outer.token != nullptr) {
      ids.push_back(outer.token->id);
      continue;
    }
    const std::string_view between = outer.range.of(text);
    for (const auto& inner : normalized_.parts(between)) {
      if (inner.token != nullptr) {
        ids.push_back(inner.token->id);
      } else {
        encode_piece(inner.range.of(between), ids);
      }
    }
  }
  return ids;
}

std::vector<int64_t> BytePairTokenizer::encode(std::string_view text) const {
  std::vector<int64_t> ids = description_.prefix;
  const std::vector<int64_t> own = encode_plain(text);
  ids.insert(ids.end(), own.begin(), own.end());
  ids.insert(ids.end(), description_.suffix.begin(), description_.suffix.end());
  return ids;
}

std::string BytePairTokenizer::decode(std::span<const int64_t> ids) const {
  std::string bytes;
  for (const int64_t id : ids) {
    const auto added = added_.find(id);
    if (added != added_.end()) {
      bytes += added->second;
      continue;
    }
    const std::string* token = description_.model.token_of(id);
    if (token == nullptr) {
      throw Error(ErrorKind::kInput,
                  fmt::format("token id {} is outside the vocabulary of {}", id, vocabulary_));
    }
    bytes += byte_level_bytes(*token).value_or(*token);
  }
  return bytes;
}

std::optional<int64_t> BytePairTokenizer::id_of(std::string_view token) const {
  for (const AddedToken& known : description_.added_tokens) {
    if (known.content == token) return known.id;
  }
  return description_.model.id_of(token);
}

}  // namespace kvscope
