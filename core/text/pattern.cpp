#include "core/text/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "core/base/error.h"
#include "core/text/pattern_dialect.h"

namespace kvscope {
namespace {

// Steps that one search may take from one starting offset. Honest patterns need about one a byte.
constexpr size_t kBaseSteps = 20'000;
constexpr size_t kStepsPerByte = 16;
constexpr size_t kMostSteps = 10'000'000;
constexpr uint32_t kHeapKibibytes = 65'536;  // of offsets to go back to
constexpr size_t kLongestPatternBytes = 65'536;

PCRE2_SPTR units(std::string_view text) {
  // The library wants a pointer even to nothing.
  return reinterpret_cast<PCRE2_SPTR>(text.empty() ? "" : text.data());
}

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

using CompileContext =
    std::unique_ptr<pcre2_compile_context, decltype(&pcre2_compile_context_free)>;
using MatchContext = std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)>;
using MatchData = std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)>;

MatchContext limited_context(size_t text_bytes) {
  MatchContext context(pcre2_match_context_create(nullptr), pcre2_match_context_free);
  const size_t steps = std::min(kBaseSteps + kStepsPerByte * text_bytes, kMostSteps);
  pcre2_set_match_limit(context.get(), static_cast<uint32_t>(steps));
  pcre2_set_heap_limit(context.get(), kHeapKibibytes);
  return context;
}

}  // namespace

Pattern::Pattern(std::string_view pattern, PatternDialect dialect, std::string origin)
    : pattern_(pattern), origin_(std::move(origin)) {
  const auto damaged = [&](const std::string& reason) {
    return Error(ErrorKind::kInput,
                 fmt::format("{}: pattern '{}': {}", origin_, pattern_.substr(0, 200), reason));
  };
  if (pattern_.size() > kLongestPatternBytes) {
    throw damaged(
        fmt::format("{} bytes long, at most {} are read", pattern_.size(), kLongestPatternBytes));
  }
  std::string own;
  try {
    own = to_pcre2(pattern_, dialect);
  } catch (const Error& error) {
    throw damaged(error.what());
  }
  uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
  if (dialect == PatternDialect::kOniguruma) options |= PCRE2_MULTILINE;
  if (dialect == PatternDialect::kLiteral) options = PCRE2_UTF | PCRE2_LITERAL;
  const CompileContext context(pcre2_compile_context_create(nullptr), pcre2_compile_context_free);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int code = 0;
  PCRE2_SIZE offset = 0;
  code_ = std::shared_ptr<const pcre2_real_code_8>(
      pcre2_compile(units(own), own.size(), options, &code, &offset, context.get()),
      [](const pcre2_real_code_8* compiled) {
        pcre2_code_free(const_cast<pcre2_real_code_8*>(compiled));
      });
  if (code_ == nullptr) throw damaged(fmt::format("{} (near byte {})", message_of(code), offset));
}

void Pattern::refuse(int code, size_t text_bytes) const {
  throw Error(ErrorKind::kInput,
              fmt::format("{}: pattern '{}' cannot be applied to a text of {} bytes: {}", origin_,
                          pattern_.substr(0, 200), text_bytes, message_of(code)));
}

std::optional<TextRange> Pattern::find(std::string_view text, size_t from) const {
  const MatchContext context = limited_context(text.size());
  const MatchData data(pcre2_match_data_create(1, nullptr), pcre2_match_data_free);
  const int found = pcre2_match(code_.get(), units(text), text.size(), from, PCRE2_NO_UTF_CHECK,
                                data.get(), context.get());
  if (found == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (found < 0) refuse(found, text.size());
  const PCRE2_SIZE* offset = pcre2_get_ovector_pointer(data.get());
  return TextRange{offset[0], offset[1]};
}

std::vector<TextRange> Pattern::find_all(std::string_view text) const {
  std::vector<TextRange> matches;
  size_t from = 0;
  while (from <= text.size()) {
    const std::optional<TextRange> match = find(text, from);
    if (!match) break;
    if (!match->empty() || matches.empty() || matches.back().end != match->end) {
      matches.push_back(*match);
      from = match->end;
      continue;
    }
    do {
      ++from;
    } while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80);
  }
  return matches;
}

std::string Pattern::replace(std::string_view text, const std::string& replacement) const {
  const MatchContext context = limited_context(text.size());
  std::string result(text.size() + 64, '\0');
  const uint32_t options = PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_EXTENDED |
                           PCRE2_SUBSTITUTE_UNSET_EMPTY | PCRE2_SUBSTITUTE_OVERFLOW_LENGTH |
                           PCRE2_NO_UTF_CHECK;
  for (int attempt = 0;; ++attempt) {
    PCRE2_SIZE length = result.size();
    const int done = pcre2_substitute(code_.get(), units(text), text.size(), 0, options, nullptr,
                                      context.get(), units(replacement), replacement.size(),
                                      reinterpret_cast<PCRE2_UCHAR*>(result.data()), &length);
    if (done >= 0) {
      result.resize(length);
      return result;
    }
    if (done != PCRE2_ERROR_NOMEMORY || attempt > 0) refuse(done, text.size());
    result.resize(length);  // what it would have needed
  }
}

void check_utf8(std::string_view text, std::string_view what) {
  int code = 0;
  PCRE2_SIZE offset = 0;
  const std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> anything(
      pcre2_compile(units(""), 0, PCRE2_UTF, &code, &offset, nullptr), pcre2_code_free);
  const MatchData data(pcre2_match_data_create(1, nullptr), pcre2_match_data_free);
  const int found =
      pcre2_match(anything.get(), units(text), text.size(), 0, 0, data.get(), nullptr);
  if (found >= 0) return;
  throw Error(ErrorKind::kInput, fmt::format("{}: not UTF-8 at byte {}: {}", what,
                                             pcre2_get_startchar(data.get()), message_of(found)));
}

}  // namespace kvscope
