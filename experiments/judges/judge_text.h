#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kvscope {

/// A line of a text file, without its end, and its number from 1.
struct TextLine {
  int64_t number = 0;
  std::string_view text{};
};

/// The lines of `text`, which outlives them; a carriage return at an end belongs to it.
std::vector<TextLine> lines_of(std::string_view text);

/// Without white space at both ends.
std::string_view trimmed(std::string_view text);

/// With every run of white space as one blank and none at the ends: as prompts are compared.
std::string with_single_blanks(std::string_view text);

/// The number that is all of `text`: also nan, inf, infinity, as Python prints them.
std::optional<double> number_text(std::string_view text);

/// Of a file that may be large, not more than 1 GiB. Throws Error(kInput) naming it where it is
/// missing, no file, or larger.
std::string judge_file_text(const std::filesystem::path& file);

}  // namespace kvscope
