#include "experiments/results/name_match.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/error.h"

namespace kvscope {
namespace {

/// Every name that `text` may mean, each once: the equal ones alone where there are any.
std::vector<std::string> candidates(const std::string& text,
                                    const std::vector<std::string>& names) {
  const std::string wanted = without_spaces(text);
  std::vector<std::string> equal;
  std::vector<std::string> longer;
  for (const std::string& name : names) {
    const std::string bare = without_spaces(name);
    if (bare == wanted) equal.push_back(name);
    if (bare.starts_with(wanted)) longer.push_back(name);
  }
  std::vector<std::string> found = equal.empty() && !wanted.empty() ? longer : equal;
  std::ranges::sort(found);
  const auto [end, last] = std::ranges::unique(found);
  found.erase(end, last);
  return found;
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> pieces{""};
  for (const char letter : text) {
    if (letter == ',') {
      pieces.emplace_back();
    } else {
      pieces.back() += letter;
    }
  }
  return pieces;
}

}  // namespace

std::string without_spaces(std::string text) {
  std::erase_if(text, [](unsigned char letter) { return std::isspace(letter) != 0; });
  return text;
}

std::string meant_name(const NameOption& where,
                       const std::string& text,
                       const std::vector<std::string>& names) {
  std::vector<std::string> found = candidates(text, names);
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    throw Error(ErrorKind::kConfig, fmt::format("{}: no {} '{}'. {}", where.option, where.what,
                                                text, suggestion(text, names)));
  }
  constexpr size_t kShown = 3;
  const size_t count = found.size();
  if (count > kShown) found.resize(kShown);
  throw Error(ErrorKind::kConfig,
              fmt::format("{}: {} '{}' may be '{}'{}", where.option, where.what, text,
                          fmt::join(found, "' or '"),
                          count > kShown ? fmt::format(" or {} others", count - kShown) : ""));
}

std::vector<std::string> meant_names(const NameOption& where,
                                     const std::string& text,
                                     const std::vector<std::string>& names) {
  const std::vector<std::string> pieces = split_at_commas(text);
  const auto joined = [&](size_t begin, size_t end) {
    std::string name = pieces[begin];
    for (size_t i = begin + 1; i < end; ++i) name += "," + pieces[i];
    return name;
  };
  // fewest[i]: how few names the pieces from i on can be; next[i]: where the first of them ends.
  const size_t count = pieces.size();
  std::vector<std::optional<size_t>> fewest(count + 1);
  std::vector<size_t> next(count + 1, count);
  fewest[count] = 0;
  for (size_t begin = count; begin-- > 0;) {
    for (size_t end = begin + 1; end <= count; ++end) {
      if (!fewest[end] || candidates(joined(begin, end), names).size() != 1) continue;
      if (fewest[begin] && *fewest[begin] <= *fewest[end] + 1) continue;
      fewest[begin] = *fewest[end] + 1;
      next[begin] = end;
    }
  }
  std::vector<std::string> found;
  if (!fewest[0]) {
    for (const std::string& piece : pieces) found.push_back(meant_name(where, piece, names));
    return found;
  }
  for (size_t begin = 0; begin < count; begin = next[begin]) {
    found.push_back(meant_name(where, joined(begin, next[begin]), names));
  }
  return found;
}

}  // namespace kvscope
