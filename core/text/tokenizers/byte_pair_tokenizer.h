#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/text/tokenizers/added_tokens.h"
#include "core/text/tokenizers/tokenizer_json.h"

namespace kvscope {

/// Byte-level BPE as a tokenizer.json describes it (Janus and DeepSeek-LLM, GPT-2 and its kin):
/// added tokens are cut out, first those that are not normalised, then the others; what is left is
/// pre-tokenised and merged. Safe to share between threads.
class BytePairTokenizer {
 public:
  /// `path`: a tokenizer.json under any name, or a folder that holds one. A tokenizer_config.json
  /// in the same folder says whether BOS and EOS are added. Throws Error(kInput) naming the file
  /// and the place where it is missing, damaged or of a kind not known here.
  static BytePairTokenizer from_file(const std::filesystem::path& path);

  explicit BytePairTokenizer(TokenizerJson description);

  /// Ids of `text` between those that the files say to add (BOS). Throws Error(kInput) where
  /// `text` is not UTF-8 or longer than 4 MiB. A character that the vocabulary lacks gives no id.
  [[nodiscard]] std::vector<int64_t> encode(std::string_view text) const;
  /// The same without anything added.
  [[nodiscard]] std::vector<int64_t> encode_plain(std::string_view text) const;
  /// The bytes behind `ids`, added tokens as their text; where ids were cut inside a character,
  /// not valid UTF-8. Throws Error(kInput) for an id that is no token.
  [[nodiscard]] std::string decode(std::span<const int64_t> ids) const;

  /// Id of an added token, or of a token as the vocabulary writes it.
  [[nodiscard]] std::optional<int64_t> id_of(std::string_view token) const;
  /// One past the largest id.
  [[nodiscard]] int64_t vocabulary() const { return vocabulary_; }

 private:
  void encode_piece(std::string_view text, std::vector<int64_t>& ids) const;

  TokenizerJson description_;
  AddedTokenFinder verbatim_;    // normalized = false
  AddedTokenFinder normalized_;  // normalized = true
  std::unordered_map<int64_t, std::string> added_;
  int64_t vocabulary_ = 0;
};

}  // namespace kvscope
