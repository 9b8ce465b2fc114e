#include "policies/index_ranges.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>

#include "core/base/between_commas.h"
#include "core/base/error.h"
#include "core/config/format.h"

namespace kvscope {
namespace {

constexpr int64_t kWithoutEnd = std::numeric_limits<int64_t>::max();

std::optional<int64_t> number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// 3 or "2-5".
std::optional<std::pair<int64_t, int64_t>> range(const ConfigNode& node) {
  if (node.kind() == ConfigKind::kInt) {
    const int64_t index = node.as_int64();
    return index < 0 ? std::nullopt : std::optional(std::pair(index, index));
  }
  if (!node.is_string()) return std::nullopt;
  const std::string& text = node.as_string();
  const size_t dash = text.find('-');
  const auto first = number(std::string_view(text).substr(0, dash));
  const auto last = dash == text.npos ? first : number(std::string_view(text).substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return std::pair(*first, *last);
}

}  // namespace

IndexRanges IndexRanges::all() {
  IndexRanges ranges;
  ranges.ranges_.emplace_back(0, kWithoutEnd);
  return ranges;
}

IndexRanges IndexRanges::of(std::span<const int64_t> indices) {
  IndexRanges ranges;
  for (const int64_t index : indices) {
    if (!ranges.empty() && ranges.ranges_.back().second + 1 == index) {
      ranges.ranges_.back().second = index;
    } else {
      ranges.ranges_.emplace_back(index, index);
    }
  }
  return ranges;
}

IndexRanges IndexRanges::from_text(const std::string& text, const std::string& place) {
  IndexRanges ranges;
  for (const std::string& part : between_commas(text)) {
    const size_t dots = part.find("..");
    const auto first = number(trimmed(std::string_view(part).substr(0, dots)));
    const auto last =
        dots == part.npos ? first : number(trimmed(std::string_view(part).substr(dots + 2)));
    if (!first || !last || *last < *first || *last == kWithoutEnd) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: '{}': expected indices and ascending ranges of them between "
                              "commas, as 0,7..9",
                              place, text));
    }
    ranges.ranges_.emplace_back(*first, *last);
  }
  return ranges;
}

IndexRanges IndexRanges::from_option(Options& options, const Key& key) {
  const ConfigNode* node =
      options.value({.key = key.key,
                     .accepts = "all, none, a number, or a list of numbers and ranges as [0, 2-5]",
                     .default_value = key.default_word,
                     .unit = key.unit,
                     .help = key.help,
                     .identity = key.identity});
  const std::string word = node == nullptr     ? key.default_word
                           : node->is_string() ? node->as_string()
                                               : "";
  if (word == "all") return all();
  IndexRanges ranges;
  if (word == "none" || node == nullptr) return ranges;
  const bool is_list = node->is_list();
  for (size_t i = 0; i < (is_list ? node->size() : 1); ++i) {
    const ConfigNode& item = is_list ? node->items()[i] : *node;
    const auto found = range(item);
    if (!found) {
      std::string text = to_yaml(item);
      text.erase(text.find_last_not_of('\n') + 1);
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: '{}' is no number from 0 on and no range; expected all, none, a "
                              "number or a list, as in {}=[0,2-5]",
                              options.place(key.key), text, options.whole(key.key)));
    }
    ranges.ranges_.push_back(*found);
  }
  return ranges;
}

void IndexRanges::add(const IndexRanges& more) {
  ranges_.insert(ranges_.end(), more.ranges_.begin(), more.ranges_.end());
}

bool IndexRanges::is_all() const {
  return contains(kWithoutEnd);
}

bool IndexRanges::contains(int64_t index) const {
  return std::ranges::any_of(
      ranges_, [&](const auto& range) { return index >= range.first && index <= range.second; });
}

int64_t IndexRanges::largest() const {
  int64_t largest = -1;
  for (const auto& [first, last] : ranges_) {
    if (last != kWithoutEnd) largest = std::max(largest, last);
  }
  return largest;
}

std::string IndexRanges::text() const {
  if (is_all()) return "";
  std::vector<std::string> parts;
  parts.reserve(ranges_.size());
  for (const auto& [first, last] : ranges_) {
    parts.push_back(first == last ? fmt::format("{}", first) : fmt::format("{}..{}", first, last));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace kvscope
