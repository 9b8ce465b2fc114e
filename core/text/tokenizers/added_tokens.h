#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/pattern.h"

namespace kvscope {

/// An entry of `added_tokens` in a tokenizer.json.
struct AddedToken {
  std::string content;
  int64_t id = 0;
  bool single_word = false;  ///< only where no word character stands beside it
  bool lstrip = false;       ///< takes the white space before it
  bool rstrip = false;       ///< takes the white space behind it
  bool normalized = false;   ///< looked for in a second pass, after normalisation
  bool special = false;
};

/// Finds a set of added tokens in a text: leftmost first, of those the longest.
class AddedTokenFinder {
 public:
  struct Part {
    TextRange range;
    const AddedToken* token = nullptr;  ///< null: plain text
  };

  /// Of tokens with the same content the first counts; empty ones never do.
  explicit AddedTokenFinder(const std::vector<AddedToken>& tokens);

  /// `text` (UTF-8) as added tokens and the plain parts between them, none of those empty. The
  /// tokens live as long as this object.
  [[nodiscard]] std::vector<Part> parts(std::string_view text) const;

 private:
  [[nodiscard]] const AddedToken* longest_at(std::string_view text, size_t at) const;
  [[nodiscard]] bool stands_alone(std::string_view text, TextRange match) const;

  std::vector<AddedToken> tokens_;  // sorted by content
  Pattern word_first_;
  Pattern word_last_;
  Pattern space_first_;
  Pattern space_last_;
};

}  // namespace kvscope
