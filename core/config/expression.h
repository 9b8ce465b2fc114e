#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/config/value.h"

namespace kvscope {

/// What an expression refers to.
struct ExpressionScope {
  /// The value of a dotted key; throws Error(kConfig) where there is none.
  std::function<ConfigNode(const std::string& key)> key{};
  /// The value of `${...}`, given what stands inside; empty where none may stand.
  std::function<ConfigNode(const std::string& inside)> interpolation{};
};

/// One step of an expression: an operator or a function with its operands, or a leaf.
struct ExpressionNode {
  enum class Kind : uint8_t { kLiteral, kKey, kInterpolation, kList, kOperator, kFunction };
  Kind kind = Kind::kLiteral;
  ConfigNode literal{};
  std::string text{};  ///< key, inside of `${...}`, operator or function
  std::vector<ExpressionNode> operands{};
  size_t position = 0;  ///< in the text, from 0
};

/// A pure expression over numbers, texts, true, false, null and lists: `or`, `and`, `not`,
/// comparisons (== != < <= > >=, in, not in; a < b < c means both), + - * / // % **, parentheses,
/// [lists], dotted keys, `${...}`, and abs, ceil, floor, int, float, log2, max, min, round, sqrt.
/// Operators bind and divide as in Python; integers are exact or an error beyond 64 bits. It always
/// ends: there are neither loops nor calls of its own.
class ConfigExpression {
 public:
  /// Throws Error(kConfig) with the character where reading stopped and what was expected.
  explicit ConfigExpression(std::string text);

  [[nodiscard]] const std::string& text() const { return text_; }
  /// The dotted keys that it names, each once, in order.
  [[nodiscard]] std::vector<std::string> keys() const;
  /// Throws Error(kConfig) with the character where operands do not suit their operator.
  [[nodiscard]] ConfigNode value(const ExpressionScope& scope) const;

 private:
  std::string text_;
  ExpressionNode root_;
};

}  // namespace kvscope
