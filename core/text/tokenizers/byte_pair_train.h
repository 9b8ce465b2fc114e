#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace kvscope {

/// Learns a byte-level BPE of at most `vocabulary` tokens from `sentences` (Sennrich et al. 2016:
/// the most frequent pair of neighbours becomes a token, again and again; pairs within words only,
/// the first in alphabetical order among equals) and writes it to `path` as a tokenizer.json: 256
/// bytes, merges, then Janus' special tokens, BOS in front of every text. The same sentences give
/// the same file. Throws Error(kConfig) where `vocabulary` is too small for bytes and special
/// tokens.
void train_byte_pairs(std::span<const std::string> sentences,
                      int64_t vocabulary,
                      const std::filesystem::path& path);

}  // namespace kvscope
