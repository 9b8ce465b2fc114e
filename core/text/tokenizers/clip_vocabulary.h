#pragma once

#include <filesystem>

#include "core/text/tokenizers/byte_pair_model.h"

namespace kvscope {

/// What a CLIP's tokenizer is made of.
struct ClipVocabulary {
  BytePairModel::Vocabulary tokens{};  ///< without the two special ones
  BytePairModel::Merges merges{};
  int64_t start = 0;  ///< the id in front of a text
  int64_t end = 0;    ///< and behind it, the largest of all
};

/// The end of a word, as tokens are written.
inline constexpr const char* kClipEndOfWord = "</w>";

/// Reads any published form: OpenAI's list of merges (bpe_simple_vocab_16e6.txt, gzipped or not, of
/// which the first 48894 merges count), a tokenizer.json, vocab.json beside merges.txt, or a folder
/// with one of these. All name the same tokens. Throws Error(kInput) naming the file and the place.
ClipVocabulary read_clip_vocabulary(const std::filesystem::path& path);

}  // namespace kvscope
