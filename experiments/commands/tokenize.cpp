#include "experiments/commands/tokenize.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/base/json_finding.h"
#include "core/text/text_input.h"
#include "core/text/tokenizers/tokenizer.h"
#include "experiments/commands/command_registrar.h"

namespace kvscope {
namespace {

constexpr size_t kLongestLineBytes = 32 << 20;  // a text of 4 MiB as JSON, all of it escaped

// The next line without its line break; false at the end of the input.
bool read_line(std::streambuf& input, std::string& line) {
  using Traits = std::streambuf::traits_type;
  line.clear();
  for (;;) {
    const auto letter = input.sbumpc();
    if (Traits::eq_int_type(letter, Traits::eof())) return !line.empty();
    if (letter == '\n') return true;
    if (line.size() == kLongestLineBytes) {
      throw Error(ErrorKind::kInput,
                  fmt::format("the line is longer than {} bytes", kLongestLineBytes));
    }
    line += Traits::to_char_type(letter);
  }
}

std::string text_of(const std::string& line, bool json) {
  if (!json) return line;
  try {
    const nlohmann::json value =
        nlohmann::json::parse(line, [](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
          if (depth > 0) throw Error(ErrorKind::kInput, "expected one JSON string");
          return true;
        });
    if (value.is_string()) return value.get<std::string>();
    throw Error(ErrorKind::kInput,
                fmt::format("expected one JSON string, found {}", value.type_name()));
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::kInput,
                fmt::format("expected one JSON string: {}", json_finding(error)));
  }
}

void print(const std::vector<int64_t>& ids, bool json) {
  json ? fmt::print("[{}]\n", fmt::join(ids, ",")) : fmt::print("{}\n", fmt::join(ids, " "));
}

void tokenize_lines(const Tokenizer& tokenizer,
                    std::streambuf& input,
                    const std::string& origin,
                    bool json) {
  std::string line;
  for (size_t number = 1;; ++number) {
    try {
      if (!read_line(input, line)) break;
      if (number == 1) line = text_input(std::move(line), "");
      print(tokenize(tokenizer, text_of(line, json)), json);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInput) throw;
      throw Error(ErrorKind::kInput, fmt::format("{}:{}: {}", origin, number, error.what()));
    }
  }
}

}  // namespace

int tokenize_command(const TokenizeOptions& options) {
  const Tokenizer tokenizer = open_tokenizer(options.tokenizer);
  if (options.input == "-") {
    tokenize_lines(tokenizer, *std::cin.rdbuf(), "standard input", options.json);
    return 0;
  }
  std::ifstream file(options.input, std::ios::binary);
  if (!file || std::filesystem::is_directory(options.input)) {
    throw Error(ErrorKind::kInput, fmt::format("{}: cannot be read", options.input.string()));
  }
  tokenize_lines(tokenizer, *file.rdbuf(), options.input.string(), options.json);
  return 0;
}

void register_tokenize(const CommandRegistrar& registrar) {
  const auto options = std::make_shared<TokenizeOptions>();
  CLI::App& command =
      registrar.add("tokenize", "token ids of every line of standard input or a file",
                    [options] { return tokenize_command(*options); });
  command
      .add_option("tokenizer", options->tokenizer,
                  "SentencePiece .model, tokenizer.json, or a folder with one")
      ->required();
  command.add_option("file", options->input, "text, one per line; -: standard input");
  command.add_flag("--json", options->json,
                   "every line is a JSON string, every answer a JSON list");
}

}  // namespace kvscope
