#include "experiments/sweep/moved_keys.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace kvscope {
namespace {

struct MovedKey {
  std::string_view from;
  std::string_view to;
  bool of_diagonal_alone = false;  ///< other scores have an option of that name
};

constexpr MovedKey kMoved[] = {
    {.from = "policy.score.attended_share", .to = "policy.read.attended_share"},
    {.from = "policy.score.attended_tokens", .to = "policy.read.attended_tokens"},
    {.from = "policy.score.sinks", .to = "policy.read.sinks", .of_diagonal_alone = true}};

/// "keep,rerotate" as components of `read`; nullopt where it is something else.
std::optional<std::string> read_of_rotation(std::string_view values) {
  std::string read;
  while (!values.empty()) {
    const size_t comma = std::min(values.find(','), values.size());
    const std::string_view word = values.substr(0, comma);
    if (word != "keep" && word != "rerotate") return std::nullopt;
    read += (read.empty() ? "" : ",") + std::string(word == "keep" ? "all" : "in_cache_positions");
    values.remove_prefix(std::min(comma + 1, values.size()));
  }
  return read;
}

}  // namespace

std::vector<std::string> with_moved_keys(std::vector<std::string> overrides) {
  const bool diagonal = std::ranges::find(overrides, "policy=diagonal") != overrides.end();
  for (std::string& text : overrides) {
    const size_t key_begin = text.find_first_not_of('+');
    const size_t equals = text.find('=');
    if (key_begin == text.npos || equals == text.npos) continue;
    const std::string key = text.substr(key_begin, equals - key_begin);
    std::string now;
    if (key == "policy.score.rotation") {
      const auto read = read_of_rotation(std::string_view(text).substr(equals + 1));
      if (read) now = "policy.read=" + *read;
    }
    for (const MovedKey& moved : kMoved) {
      if (key != moved.from || (moved.of_diagonal_alone && !diagonal)) continue;
      now = std::string(moved.to) + text.substr(equals);
    }
    if (now.empty()) continue;
    spdlog::warn("{}: spelt {} now; the old spelling is taken until 0.3", text, now);
    text = now;
  }
  return overrides;
}

}  // namespace kvscope
