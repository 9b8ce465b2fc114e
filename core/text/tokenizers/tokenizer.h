#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <variant>
#include <vector>

#include "core/text/tokenizers/byte_pair_tokenizer.h"
#include "core/text/tokenizers/sentencepiece.h"

namespace kvscope {

/// Either kind of text tokenizer.
using Tokenizer = std::variant<SentencePiece, BytePairTokenizer>;

/// `path`: a SentencePiece .model, a tokenizer.json, or a folder that holds one; of a folder with
/// both the .model, because its tokenizer.json describes the same pieces. Throws Error(kInput)
/// naming what is missing, damaged or ambiguous.
Tokenizer open_tokenizer(const std::filesystem::path& path);

/// Ids of `text` with what the tokenizer adds (`</s>` behind, or BOS in front). Throws
/// Error(kInput) where `text` is not UTF-8.
std::vector<int64_t> tokenize(const Tokenizer& tokenizer, std::string_view text);

}  // namespace kvscope
