#include "core/text/tokenizers/clip_tokenizer.h"

#include "core/base/error.h"
#include "core/text/captions/caption_text.h"
#include "core/text/captions/html.h"
#include "core/text/pattern.h"
#include "core/text/tokenizers/byte_level.h"
#include "core/text/unicode_form.h"

namespace kvscope {
namespace {

Pattern python(const std::string& pattern) {
  return {pattern, PatternDialect::kPython, "text of CLIP"};
}

std::string cleaned(std::string_view text, ClipText kind) {
  std::string clean(text);
  if (kind == ClipText::kTransformersFast) {
    clean = composed_text(clean);
  } else {
    if (kind != ClipText::kOpenAiWithoutFtfy) clean = fix_text(clean);
    clean = html_unescape(html_unescape(clean));
  }
  return lower_case(strip(python(R"(\s+)").replace(clean, " ")));
}

/// Special tokens of the kind as the text may write them.
struct SpecialTexts {
  std::string start;
  std::string end;
};

SpecialTexts special_texts(ClipText kind) {
  if (kind == ClipText::kOpenClip) return {"<start_of_text>", "<end_of_text>"};
  return {"<|startoftext|>", "<|endoftext|>"};
}

std::string quoted(const std::string& text) {
  return python(R"(\|)").replace(text, R"(\\|)");
}

}  // namespace

ClipTokenizer::ClipTokenizer(const ClipVocabulary& vocabulary)
    : model_(vocabulary.tokens, vocabulary.merges, {.end_of_word = kClipEndOfWord}),
      start_(vocabulary.start),
      end_(vocabulary.end) {}

ClipTokenizer ClipTokenizer::from_file(const std::filesystem::path& path) {
  try {
    return ClipTokenizer(read_clip_vocabulary(path));
  } catch (const Error& error) {
    const std::string what = error.what();
    const bool is_named = what.find(path.string()) != what.npos;
    throw Error(error.kind(), is_named ? what : path.string() + ": " + what);
  }
}

std::vector<int64_t> ClipTokenizer::encode(std::string_view text, ClipText kind) const {
  check_utf8(text, "text to tokenize");
  const SpecialTexts special = special_texts(kind);
  const Pattern words = python(quoted(special.start) + "|" + quoted(special.end) +
                               R"(|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+)");
  const std::string clean = cleaned(text, kind);
  std::vector<int64_t> ids = {start_};
  for (const TextRange& match : words.find_all(clean)) {
    const std::string_view word = match.of(clean);
    if (word == special.start || word == special.end) {
      ids.push_back(word == special.start ? start_ : end_);
      continue;
    }
    const std::vector<int64_t> of_word = model_.encode(byte_level_text(word));
    ids.insert(ids.end(), of_word.begin(), of_word.end());
  }
  ids.push_back(end_);
  return ids;
}

ClipTokenizer::Row ClipTokenizer::row(std::string_view text, int64_t length, ClipText kind) const {
  Row row{.ids = encode(text, kind)};
  const auto size = static_cast<size_t>(length);
  row.is_cut = row.ids.size() > size;
  row.ids.resize(size, 0);
  if (row.is_cut) row.ids.back() = end_;
  return row;
}

}  // namespace kvscope
