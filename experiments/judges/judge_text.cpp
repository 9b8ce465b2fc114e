#include "experiments/judges/judge_text.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/text_file.h"

namespace kvscope {
namespace {

constexpr uintmax_t kMostBytes = uintmax_t{1} << 30;
constexpr std::string_view kWhite = " \t\r\n\f\v";

}  // namespace

std::vector<TextLine> lines_of(std::string_view text) {
  std::vector<TextLine> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back({static_cast<int64_t>(lines.size()) + 1, line});
    begin = end + 1;
  }
  return lines;
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kWhite);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kWhite) - begin + 1);
}

std::string with_single_blanks(std::string_view text) {
  std::string result;
  for (const char c : trimmed(text)) {
    const bool is_white = kWhite.find(c) != std::string_view::npos;
    if (is_white && result.ends_with(' ')) continue;
    result += is_white ? ' ' : c;
  }
  return result;
}

std::optional<double> number_text(std::string_view text) {
  text = trimmed(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::string judge_file_text(const std::filesystem::path& file) {
  std::error_code unknown;
  const uintmax_t bytes = std::filesystem::file_size(file, unknown);
  if (!unknown && bytes > kMostBytes) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: {} bytes; at most {} are read", file.string(), bytes, kMostBytes));
  }
  std::optional<std::string> text = text_of_file(file);
  if (!text) {
    const bool is_folder = std::filesystem::is_directory(file, unknown);
    throw Error(ErrorKind::kInput, fmt::format("{}: {}", file.string(),
                                               is_folder ? "a folder, expected a file"
                                                         : "no such file that can be read"));
  }
  return *std::move(text);
}

}  // namespace kvscope
