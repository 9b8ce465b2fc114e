#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace kvscope {

/// Writes to standard error at once. That nobody can read it, because its file is on a full disk or
/// closed, stops nothing: what is said there is about the work and not the work.
void say_text(std::string_view text);

/// A formatted line to standard error; see say_text().
template <class... Values>
void say(fmt::format_string<Values...> format, Values&&... values) {
  say_text(fmt::format(format, std::forward<Values>(values)...) + "\n");
}

/// Flushes standard output, C's and C++'s. Returns why not all that was printed has arrived, or
/// nothing where it has.
std::optional<std::string> output_failure();

/// Sees to it that descriptors 0 to 2 are open, or the first file that is opened would take the
/// place of a closed one, and what is printed would land in it. Writing to such a place fails.
void keep_standard_descriptors();

}  // namespace kvscope
