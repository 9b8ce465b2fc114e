#include "analysis/attention/index_ranges.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <string_view>

#include "core/base/error.h"

namespace kvscope {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<int64_t> index_of(std::string_view text) {
  text = trimmed(text);
  int64_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  return is_whole && index >= 0 ? std::optional(index) : std::nullopt;
}

}  // namespace

std::vector<IndexRange> index_ranges(const std::string& text, const std::string& place) {
  std::vector<IndexRange> ranges;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    const size_t dots = part.find("..");
    const auto first = index_of(part.substr(0, dots));
    const auto last = dots == part.npos ? first : index_of(part.substr(dots + 2));
    if (!first || !last || *last < *first) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: '{}': expected indices and ascending ranges of them between "
                              "commas, as 0,7..9",
                              place, text));
    }
    ranges.push_back({*first, *last});
  }
  return ranges;
}

std::string text_of(const std::vector<IndexRange>& ranges) {
  std::vector<std::string> parts;
  parts.reserve(ranges.size());
  for (const auto& [first, last] : ranges) {
    parts.push_back(first == last ? fmt::format("{}", first) : fmt::format("{}..{}", first, last));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<IndexRange> ranges_of(const std::vector<int64_t>& indices) {
  std::vector<IndexRange> ranges;
  for (const int64_t index : indices) {
    if (!ranges.empty() && ranges.back().last + 1 == index) {
      ranges.back().last = index;
    } else {
      ranges.push_back({index, index});
    }
  }
  return ranges;
}

std::vector<bool> indices_named(const std::vector<IndexRange>& ranges, int64_t count) {
  std::vector<bool> named(static_cast<size_t>(count), false);
  for (const auto& [first, last] : ranges) {
    if (first >= count) continue;
    std::fill(named.begin() + first, named.begin() + std::min(last, count - 1) + 1, true);
  }
  return named;
}

std::vector<bool> indices_in(const std::vector<IndexRange>& ranges,
                             int64_t count,
                             const std::string& what) {
  for (const auto& [first, last] : ranges) {
    if (last >= count) {
      throw Error(ErrorKind::kConfig, fmt::format("record.{}: {}: the model has {} 0..{}", what,
                                                  text_of({{first, last}}), what, count - 1));
    }
  }
  return ranges.empty() ? std::vector<bool>(static_cast<size_t>(count), true)
                        : indices_named(ranges, count);
}

}  // namespace kvscope
