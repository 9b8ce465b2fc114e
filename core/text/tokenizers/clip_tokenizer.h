#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/tokenizers/byte_pair_model.h"
#include "core/text/tokenizers/clip_vocabulary.h"

namespace kvscope {

/// Whose tokenizer is meant: all have the same vocabulary and clean texts differently before it.
enum class ClipText {
  kOpenAi,             ///< ftfy, HTML references, white space, lower case
  kOpenAiWithoutFtfy,  ///< the same where the library ftfy is not installed
  kOpenClip,           ///< as OpenAI's; "<|endoftext|>" inside a text is ordinary characters
  kTransformersFast    ///< form NFC, white space, lower case; neither ftfy nor HTML
};

/// The byte-level BPE of CLIP.
class ClipTokenizer {
 public:
  /// Throws as read_clip_vocabulary does.
  static ClipTokenizer from_file(const std::filesystem::path& path);

  [[nodiscard]] int64_t start() const { return start_; }
  [[nodiscard]] int64_t end() const { return end_; }
  /// One past the largest id.
  [[nodiscard]] int64_t vocabulary() const { return std::max(start_, end_) + 1; }

  /// Start, the tokens of `text`, end. Throws Error(kInput) for what is not UTF-8.
  [[nodiscard]] std::vector<int64_t> encode(std::string_view text, ClipText kind) const;

  /// The same as a row of `length` ids: zeros behind the end, or cut with the end in the last
  /// place.
  struct Row {
    std::vector<int64_t> ids{};
    bool is_cut = false;  ///< the text has more tokens
  };
  [[nodiscard]] Row row(std::string_view text, int64_t length, ClipText kind) const;

 private:
  explicit ClipTokenizer(const ClipVocabulary& vocabulary);

  BytePairModel model_;
  int64_t start_ = 0;
  int64_t end_ = 0;
};

}  // namespace kvscope
