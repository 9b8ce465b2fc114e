#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace kvscope {

/// A word that may stand where the cursor is, whole, and what it is for.
struct Candidate {
  std::string word{};
  std::string help{};
};

/// What a shell offers besides candidates.
enum class OfferedFiles : uint8_t { kNone, kFiles, kFolders };

struct Completion {
  std::vector<Candidate> candidates{};  ///< those that begin as what is typed does
  OfferedFiles files = OfferedFiles::kNone;
};

/// What may stand as the last of `words`, the words behind the program's name, as far as typed.
/// Commands and options are those of `program`, groups and keys those of its configurations: what
/// an option takes is its type's name, as help shows it ("job|hydra|all", FOLDER, OVERRIDE). Reads
/// YAML files, loads and writes nothing. Throws Error where configurations cannot be read.
Completion complete(const CLI::App& program, const std::vector<std::string>& words);

/// The words of a line up to the cursor, as a shell takes quotes and backslashes; the last one is
/// empty behind a blank. An open quote ends with the line.
std::vector<std::string> shell_words(const std::string& line);

}  // namespace kvscope
