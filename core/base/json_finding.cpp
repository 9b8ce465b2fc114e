#include "core/base/json_finding.h"

#include <string_view>

namespace kvscope {
namespace {

/// The text between two others; empty where they do not stand around anything.
std::string_view between(std::string_view text, std::string_view before, std::string_view behind) {
  const size_t begin = text.find(before);
  if (begin == std::string_view::npos) return {};
  const size_t end = text.find(behind, begin + before.size());
  if (end == std::string_view::npos) return {};
  return text.substr(begin + before.size(), end - begin - before.size());
}

}  // namespace

std::string json_finding(const std::exception& error) {
  // "[json.exception.out_of_range.403] key 'schema' not found"
  std::string_view text = error.what();
  if (!text.starts_with("[json.exception.")) return std::string(text);
  if (const size_t end = text.find("] "); end != std::string_view::npos)
    text.remove_prefix(end + 2);
  if (const auto key = between(text, "key '", "' not found"); !key.empty()) {
    return "no key '" + std::string(key) + "'";
  }
  const auto wanted = between(text, "type must be ", ", but is ");
  if (!wanted.empty()) {
    const std::string_view found = text.substr(text.rfind(' ') + 1);
    return "expected a value of type " + std::string(wanted) + ", found " + std::string(found);
  }
  // "cannot use at() with number": a list or a mapping was to be there.
  const auto call = between(text, "cannot use ", " with ");
  if (!call.empty()) {
    return "expected a list or a mapping, found " + std::string(text.substr(text.rfind(' ') + 1));
  }
  constexpr std::string_view kParse = "parse error at ";
  if (text.starts_with(kParse)) text.remove_prefix(kParse.size());
  return std::string(text);
}

}  // namespace kvscope
