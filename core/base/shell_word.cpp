#include "core/base/shell_word.h"

#include <string_view>

namespace kvscope {

std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+.,/:@%~";
  if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) return word;
  constexpr std::string_view kReadInDoubleQuotes = "\"\\$`!";
  if (word.find('\'') != word.npos && word.find_first_of(kReadInDoubleQuotes) == word.npos) {
    return '"' + word + '"';
  }
  std::string text = "'";
  for (const char letter : word) {
    text += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  }
  return text + "'";
}

}  // namespace kvscope
