#pragma once

#include <string>

namespace kvscope {

/// Text as it comes from outside, without the byte order mark in front of it. Throws Error(kInput)
/// with `origin` and the line where it is not UTF-8: "my_prompts.txt:3: byte 0xe9 is not UTF-8;
/// ...". `origin` "" stands for a single line that its caller names.
std::string text_input(std::string bytes, const std::string& origin);

}  // namespace kvscope
