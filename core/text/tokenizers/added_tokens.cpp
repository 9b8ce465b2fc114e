#include "core/text/tokenizers/added_tokens.h"

#include <algorithm>

namespace kvscope {
namespace {

// Rust's \w: Oniguruma's and the two joiners.
constexpr const char* kWord = R"([\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}])";
constexpr const char* kOrigin = "added_tokens";

std::string_view last_character(std::string_view text) {
  size_t begin = text.size();
  while (begin > 0 && (static_cast<unsigned char>(text[--begin]) & 0xC0) == 0x80) {
  }
  return text.substr(begin);
}

Pattern compiled(const std::string& pattern) {
  return {pattern, PatternDialect::kOniguruma, kOrigin};
}

}  // namespace

AddedTokenFinder::AddedTokenFinder(const std::vector<AddedToken>& tokens)
    : tokens_(tokens),
      word_first_(compiled(std::string("\\A") + kWord)),
      word_last_(compiled(std::string(kWord) + "\\z")),
      space_first_(compiled(R"(\A\s+)")),
      space_last_(compiled(R"(\s\z)")) {
  std::erase_if(tokens_, [](const AddedToken& token) { return token.content.empty(); });
  std::ranges::stable_sort(tokens_, {}, &AddedToken::content);
  tokens_.erase(std::unique(tokens_.begin(), tokens_.end(),
                            [](const AddedToken& first, const AddedToken& second) {
                              return first.content == second.content;
                            }),
                tokens_.end());
}

const AddedToken* AddedTokenFinder::longest_at(std::string_view text, size_t at) const {
  // [first, last): the tokens that begin with the `depth` bytes behind `at`.
  auto first = tokens_.begin();
  auto last = tokens_.end();
  const AddedToken* longest = nullptr;
  for (size_t depth = 0;; ++depth) {
    if (first != last && first->content.size() == depth) longest = &*first++;
    if (first == last || at + depth == text.size()) return longest;
    const auto byte_at_depth = [depth](const AddedToken& token) {
      return static_cast<unsigned char>(token.content[depth]);
    };
    const auto byte = static_cast<unsigned char>(text[at + depth]);
    first = std::ranges::lower_bound(first, last, byte, {}, byte_at_depth);
    last = std::ranges::upper_bound(first, last, byte, {}, byte_at_depth);
  }
}

bool AddedTokenFinder::stands_alone(std::string_view text, TextRange match) const {
  return !word_last_.find(last_character(text.substr(0, match.begin))) &&
         !word_first_.find(text.substr(match.end));
}

std::vector<AddedTokenFinder::Part> AddedTokenFinder::parts(std::string_view text) const {
  std::vector<Part> list;
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    const AddedToken* token = longest_at(text, at);
    if (token == nullptr) {
      ++at;
      continue;
    }
    TextRange range{at, at + token->content.size()};
    at = range.end;
    if (token->single_word && !stands_alone(text, range)) continue;
    if (token->lstrip) {
      while (range.begin > done) {
        const std::string_view before = last_character(text.substr(0, range.begin));
        if (!space_last_.find(before)) break;
        range.begin -= before.size();
      }
    }
    if (token->rstrip) {
      const auto space = space_first_.find(text.substr(range.end));
      if (space) range.end += space->end;
    }
    if (done < range.begin) list.push_back({{done, range.begin}, nullptr});
    list.push_back({range, token});
    done = range.end;
  }
  if (done < text.size()) list.push_back({{done, text.size()}, nullptr});
  return list;
}

}  // namespace kvscope
