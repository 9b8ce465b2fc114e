#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/value.h"

namespace kvscope {

enum class ExpressionKind : uint8_t {
  kScalar,     // a value as it stands
  kText,       // parts one behind the other; always a text
  kList,       // parts
  kMap,        // keys and parts
  kReference,  // ${..a.b[0]}: parts are its dots, brackets and keys
  kResolver,   // ${name:arguments}: `name`, parts are the arguments
};

/// A config value with interpolations, or an argument of a resolver, taken apart.
struct Expression {
  ExpressionKind kind = ExpressionKind::kScalar;
  ConfigNode scalar{};
  std::vector<Expression> parts{};
  std::vector<ConfigNode> keys{};  // of a map
  std::vector<Expression> name{};  // of a resolver, what stands between its dots
};

/// A config value that holds `${`, by OmegaConf's grammar. One interpolation alone is its
/// expression, anything around it makes text. `\${` is a literal `${`; backslashes count only
/// before
/// `${`. Throws Error(kConfig) with the text and what is wrong.
Expression parse_interpolations(std::string_view text);

/// One element as it stands between the commas of a resolver's arguments: a scalar, quoted text,
/// [a list] or {a map}, with interpolations anywhere.
Expression parse_element(std::string_view text);

/// "a.b[c].d" as its keys, each as it is; leading dots make empty ones.
std::vector<std::string> split_key(std::string_view path);

}  // namespace kvscope
