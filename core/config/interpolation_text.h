#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kvscope {

/// A piece of a string value: literal text, or the inside of one `${...}`.
struct InterpolationPiece {
  std::string text;
  bool is_interpolation = false;
};

/// Splits a value at its interpolations. Backslashes count only before `${`: 2n of them give n and
/// an interpolation, 2n + 1 give n and a literal `${`. Throws Error(kConfig) for an unclosed `${`.
std::vector<InterpolationPiece> split_interpolations(std::string_view text);

/// The inside of a node reference: leading dots and keys. "..a.b[0]" -> 2, {a, b, 0}.
struct NodeReference {
  int dots = 0;  // 0 = from the root, 1 = from the list or mapping that holds the value, ...
  std::vector<std::string> keys;
};

/// Throws Error(kConfig) for unbalanced brackets and empty keys.
NodeReference parse_node_reference(std::string_view text);

/// Where a resolver's name ends (its colon), npos for a node reference.
size_t resolver_colon(std::string_view text);

}  // namespace kvscope
