#include "core/config/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/config/expression_parser.h"
#include "core/config/format.h"

namespace kvscope {
namespace {

using Kind = ExpressionNode::Kind;

bool is_integer(const ConfigNode& node) {
  return node.kind() == ConfigKind::kInt;
}
bool is_number(const ConfigNode& node) {
  return is_integer(node) || node.kind() == ConfigKind::kFloat;
}

class Evaluation {
 public:
  Evaluation(const std::string& text, const ExpressionScope& scope) : text_(text), scope_(scope) {}

  ConfigNode value(const ExpressionNode& node) {
    switch (node.kind) {
      case Kind::kLiteral:
        return node.literal;
      case Kind::kKey:
        return scope_.key(node.text);
      case Kind::kInterpolation:
        if (!scope_.interpolation)
          fail(node, "an interpolation; keys stand as they are, without ${}");
        return scope_.interpolation(node.text);
      case Kind::kList:
        return ConfigNode::list(values(node.operands));
      case Kind::kFunction:
        return function(node, values(node.operands));
      case Kind::kOperator:
        return operation(node);
    }
    return {};
  }

 private:
  [[noreturn]] void fail(const ExpressionNode& node, const std::string& what) const {
    fail_in_expression(text_, node.position, what);
  }

  static std::string shown(const ConfigNode& node) {
    if (node.is_map()) return "a mapping";
    return node.is_null() ? "null" : canonical_json(node);
  }

  std::vector<ConfigNode> values(const std::vector<ExpressionNode>& nodes) {
    std::vector<ConfigNode> all;
    all.reserve(nodes.size());
    for (const ExpressionNode& node : nodes) all.push_back(value(node));
    return all;
  }

  bool truth(const ExpressionNode& node, const std::string& operation) {
    const ConfigNode given = value(node);
    if (given.kind() == ConfigKind::kBool) return given.as_bool();
    fail(node, fmt::format("'{}' takes true or false, got {}", operation, shown(given)));
  }

  ConfigNode operation(const ExpressionNode& node) {
    const std::string& sign = node.text;
    if (sign == "and") return truth(node.operands[0], sign) && truth(node.operands[1], sign);
    if (sign == "or") return truth(node.operands[0], sign) || truth(node.operands[1], sign);
    if (sign == "not") return !truth(node.operands[0], sign);
    const std::vector<ConfigNode> given = values(node.operands);
    if (sign == "==") return equal(node, given[0], given[1]);
    if (sign == "!=") return !equal(node, given[0], given[1]);
    if (sign == "in") return contains(node, given[1], given[0]);
    if (sign == "not in") return !contains(node, given[1], given[0]);
    if (sign.front() == '<' || sign.front() == '>') return ordered(node, given[0], given[1]);
    if (sign == "negative") return arithmetic(node, "-", ConfigNode(0), given[0]);
    return arithmetic(node, sign, given[0], given[1]);
  }

  /// Null equals null alone; values of other kinds are not to be compared.
  [[nodiscard]] bool equal(const ExpressionNode& node,
                           const ConfigNode& a,
                           const ConfigNode& b) const {
    if (a.is_null() || b.is_null()) return a.is_null() && b.is_null();
    if (is_integer(a) && is_integer(b)) return a.as_int64() == b.as_int64();
    if (is_number(a) && is_number(b)) return a.as_double() == b.as_double();
    const bool are_alike = a.kind() == b.kind() && !a.is_map();
    if (!are_alike) fail(node, fmt::format("compares {} with {}", shown(a), shown(b)));
    if (!a.is_list()) return a == b;
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) {
      if (!is_same(a.items()[i], b.items()[i])) return false;
    }
    return true;
  }

  static bool is_same(const ConfigNode& a, const ConfigNode& b) {
    return is_number(a) && is_number(b) ? a.as_double() == b.as_double() : a == b;
  }

  [[nodiscard]] bool contains(const ExpressionNode& node,
                              const ConfigNode& whole,
                              const ConfigNode& part) const {
    if (whole.is_string() && part.is_string()) {
      return whole.as_string().find(part.as_string()) != std::string::npos;
    }
    if (!whole.is_list()) {
      fail(node, fmt::format("'in' takes a list or two texts, got {}", shown(whole)));
    }
    return std::ranges::any_of(whole.items(),
                               [&](const ConfigNode& item) { return is_same(item, part); });
  }

  /// What is null is neither less nor more than anything.
  [[nodiscard]] bool ordered(const ExpressionNode& node,
                             const ConfigNode& a,
                             const ConfigNode& b) const {
    if (a.is_null() || b.is_null()) return false;
    const auto by_sign = [&](const auto& left, const auto& right) {
      const std::string& sign = node.text;
      return sign == "<"    ? left < right
             : sign == "<=" ? left <= right
             : sign == ">"  ? left > right
                            : left >= right;
    };
    if (is_integer(a) && is_integer(b)) return by_sign(a.as_int64(), b.as_int64());
    if (is_number(a) && is_number(b)) return by_sign(a.as_double(), b.as_double());
    if (a.is_string() && b.is_string()) return by_sign(a.as_string(), b.as_string());
    fail(node,
         fmt::format("'{}' orders numbers or texts, got {} and {}", node.text, shown(a), shown(b)));
  }

  // --- numbers --------------------------------------------------------------------------------

  ConfigNode finite(const ExpressionNode& node, double number) const {
    if (!std::isfinite(number)) fail(node, "the result is no finite number");
    return number;
  }

  ConfigNode arithmetic(const ExpressionNode& node,
                        const std::string& sign,
                        const ConfigNode& a,
                        const ConfigNode& b) const {
    for (const ConfigNode* one : {&a, &b}) {
      if (!is_number(*one))
        fail(node, fmt::format("'{}' takes numbers, got {}", sign, shown(*one)));
    }
    const bool is_division = sign == "/" || sign == "//" || sign == "%";
    if (is_division && b.as_double() == 0) fail(node, "a division by zero");
    const bool stays_integer = sign != "/" && (sign != "**" || b.as_double() >= 0);
    if (is_integer(a) && is_integer(b) && stays_integer) {
      const std::optional<int64_t> result = of_integers(sign, a.as_int64(), b.as_int64());
      if (!result) fail(node, "the integer does not fit 64 bits");
      return *result;
    }
    return finite(node, of_floats(sign, a.as_double(), b.as_double()));
  }

  static std::optional<int64_t> of_integers(const std::string& sign, int64_t a, int64_t b) {
    int64_t result = 0;
    bool is_over = false;
    if (sign == "+") {
      is_over = __builtin_add_overflow(a, b, &result);
    } else if (sign == "-") {
      is_over = __builtin_sub_overflow(a, b, &result);
    } else if (sign == "*") {
      is_over = __builtin_mul_overflow(a, b, &result);
    } else if (sign == "**") {
      return power(a, b);
    } else {
      if (a == std::numeric_limits<int64_t>::min() && b == -1) {
        return sign == "%" ? std::optional<int64_t>(0) : std::nullopt;
      }
      const bool rounds_down = a % b != 0 && (a < 0) != (b < 0);  // towards minus infinity
      result = sign == "%" ? a % b + (rounds_down ? b : 0) : a / b - (rounds_down ? 1 : 0);
    }
    return is_over ? std::nullopt : std::optional(result);
  }

  /// By squaring: at most 63 steps.
  static std::optional<int64_t> power(int64_t base, int64_t exponent) {
    int64_t result = 1;
    while (exponent > 0) {
      if (exponent % 2 == 1 && __builtin_mul_overflow(result, base, &result)) return std::nullopt;
      exponent /= 2;
      if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) return std::nullopt;
    }
    return result;
  }

  static double of_floats(const std::string& sign, double a, double b) {
    if (sign == "+") return a + b;
    if (sign == "-") return a - b;
    if (sign == "*") return a * b;
    if (sign == "/") return a / b;
    if (sign == "//") return std::floor(a / b);
    if (sign == "**") return std::pow(a, b);
    return a - b * std::floor(a / b);
  }

  ConfigNode integer(const ExpressionNode& node, double number) const {
    constexpr double kLargest = 9.2e18;
    if (!(std::abs(number) < kLargest)) fail(node, "the integer does not fit 64 bits");
    return static_cast<int64_t>(number);
  }

  ConfigNode function(const ExpressionNode& node, const std::vector<ConfigNode>& given) const {
    const std::string& name = node.text;
    const bool takes_many = name == "min" || name == "max";
    if (given.empty() || (!takes_many && given.size() != 1)) {
      fail(node, fmt::format("{}(..) takes {}, got {}", name, takes_many ? "numbers" : "one number",
                             given.size()));
    }
    for (const ConfigNode& one : given) {
      if (!is_number(one))
        fail(node, fmt::format("{}(..) takes numbers, got {}", name, shown(one)));
    }
    const auto less = [](const ConfigNode& a, const ConfigNode& b) {
      return a.as_double() < b.as_double();
    };
    if (name == "min") return *std::ranges::min_element(given, less);
    if (name == "max") return *std::ranges::max_element(given, less);
    const ConfigNode& one = given.front();
    const double number = one.as_double();
    if (name == "float") return number;
    if (name == "sqrt") return finite(node, std::sqrt(number));
    if (name == "log2") return finite(node, std::log2(number));
    if (name == "abs") return number < 0 ? arithmetic(node, "-", ConfigNode(0), one) : one;
    if (is_integer(one)) return one;  // int, floor, ceil, round
    if (name == "floor") return integer(node, std::floor(number));
    if (name == "ceil") return integer(node, std::ceil(number));
    if (name == "round") return integer(node, std::nearbyint(number));  // halves to even, as Python
    return integer(node, std::trunc(number));
  }

  const std::string& text_;
  const ExpressionScope& scope_;
};

void collect_keys(const ExpressionNode& node, std::vector<std::string>& keys) {
  if (node.kind == Kind::kKey && std::ranges::find(keys, node.text) == keys.end()) {
    keys.push_back(node.text);
  }
  for (const ExpressionNode& operand : node.operands) collect_keys(operand, keys);
}

}  // namespace

ConfigExpression::ConfigExpression(std::string text)
    : text_(std::move(text)), root_(parse_expression(text_)) {}

std::vector<std::string> ConfigExpression::keys() const {
  std::vector<std::string> keys;
  collect_keys(root_, keys);
  return keys;
}

ConfigNode ConfigExpression::value(const ExpressionScope& scope) const {
  return Evaluation(text_, scope).value(root_);
}

}  // namespace kvscope
