#include "core/text/text_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "core/base/error.h"
#include "core/text/utf8.h"

namespace kvscope {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

std::string text_input(std::string bytes, const std::string& origin) {
  if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff")) {
    throw Error(ErrorKind::kInput, fmt::format("{}{}UTF-16, expected UTF-8; iconv -f UTF-16 -t "
                                               "UTF-8 converts it",
                                               origin, origin.empty() ? "" : ": "));
  }
  if (bytes.starts_with(kByteOrderMark)) bytes.erase(0, kByteOrderMark.size());
  for (size_t at = 0; at < bytes.size();) {
    const Utf8Step step = utf8_step(bytes, at);
    if (!step.whole) {
      const auto line = 1 + std::count(bytes.begin(), bytes.begin() + static_cast<long>(at), '\n');
      const std::string place = origin.empty() ? "" : fmt::format("{}:{}: ", origin, line);
      throw Error(ErrorKind::kInput,
                  fmt::format("{}byte {:#04x} is not UTF-8; save the text as UTF-8", place,
                              static_cast<unsigned char>(bytes[at])));
    }
    at += step.bytes;
  }
  return bytes;
}

}  // namespace kvscope
