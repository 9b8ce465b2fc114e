#pragma once

#include <filesystem>

namespace kvscope {

struct TokenizeOptions {
  std::filesystem::path tokenizer;    ///< .model, tokenizer.json, or a folder with one
  std::filesystem::path input = "-";  ///< "-": standard input
  bool json = false;                  ///< every line is a JSON string, every answer a JSON list
};

/// `kvscope tokenize TOKENIZER [FILE]`: one text a line in, its ids separated by spaces out, line
/// by line. Returns 0. Throws Error(kInput) naming file and line where a line is no JSON string,
/// not UTF-8 or too long, Error(kEnvironment) where the ids cannot be written.
int tokenize_command(const TokenizeOptions& options);

}  // namespace kvscope
