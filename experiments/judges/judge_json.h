#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace kvscope {

/// JSON that somebody else's program wrote, keys in the file's order.
using JudgeJson = nlohmann::ordered_json;

/// Parses one JSON value. NaN, Infinity and -Infinity, which Python writes though JSON has no such
/// numbers, become strings of that name; number_of() reads them. Throws Error(kInput) as
/// "origin:line:column: what" (`first_line`: the line that `text` begins at) for anything else that
/// is not JSON, and for more than 64 levels.
JudgeJson parse_judge_json(std::string_view text,
                           const std::string& origin,
                           int64_t first_line = 1);

/// The value of `key`. Throws Error(kInput) "where: ..." naming what is missing or of another type.
const JudgeJson& member_of(const JudgeJson& object,
                           const std::string& key,
                           const std::string& where);
std::string text_member(const JudgeJson& object, const std::string& key, const std::string& where);
double number_member(const JudgeJson& object, const std::string& key, const std::string& where);

/// A number, or one of Python's words for NaN and infinity. Throws Error(kInput).
double number_of(const JudgeJson& value, const std::string& where);

/// As Python's json.dumps writes it: ", " and ": " between, other than ASCII as \uXXXX.
std::string python_json(const JudgeJson& value);

/// A number that JSON can hold: NaN and infinities as Python's words.
JudgeJson json_number(double value);

}  // namespace kvscope
