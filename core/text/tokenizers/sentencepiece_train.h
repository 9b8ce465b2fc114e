#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace kvscope {

/// Learns a unigram SentencePiece model of exactly `vocabulary` pieces with T5's special ids (pad
/// 0, `</s>` 1, unk 2, no BOS) from `sentences` and writes it to `path`. The same sentences give
/// the same model. Throws Error(kInput) with the library's reason where they cannot support that
/// many pieces.
void train_sentencepiece(std::span<const std::string> sentences,
                         int64_t vocabulary,
                         const std::filesystem::path& path);

}  // namespace kvscope
