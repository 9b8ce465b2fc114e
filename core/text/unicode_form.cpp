#include "core/text/unicode_form.h"

#include <glib.h>

#include <algorithm>
#include <memory>

#include "core/text/pattern.h"

namespace kvscope {
namespace {

std::string normalised(std::string_view text, GNormalizeMode mode) {
  check_utf8(text, "text");
  std::string form;
  // The library ends a text at its first zero byte, which normal forms leave as it is.
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\0', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    const std::unique_ptr<gchar, decltype(&g_free)> owned(
        g_utf8_normalize(part.data(), static_cast<gssize>(part.size()), mode), g_free);
    form += owned == nullptr ? std::string(part) : std::string(owned.get());
    if (end < text.size()) form += '\0';
    begin = end + 1;
  }
  return form;
}

}  // namespace

std::string composed_text(std::string_view text) {
  return normalised(text, G_NORMALIZE_DEFAULT_COMPOSE);
}

std::string compatible_text(std::string_view text) {
  return normalised(text, G_NORMALIZE_ALL_COMPOSE);
}

}  // namespace kvscope
