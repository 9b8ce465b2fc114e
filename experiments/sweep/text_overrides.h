#pragma once

#include <string>
#include <vector>

namespace kvscope {

/// A text as a quoted value of the override grammar, which reads back as these very letters.
std::string quoted_text(const std::string& text);

/// The overrides of a command line with free text in quotes. Where a key takes any text
/// (prompt=what's this), a value that the grammar refuses is the text itself; without a sweep, what
/// has commas in a prompt is as well. What the grammar accepts is left as it is.
std::vector<std::string> with_quoted_texts(std::vector<std::string> overrides, bool multirun);

}  // namespace kvscope
