#pragma once

#include <string>

#include "core/config/expression.h"

namespace kvscope {

/// The tree of an expression's text. Throws Error(kConfig), see ConfigExpression.
ExpressionNode parse_expression(const std::string& text);

/// Error(kConfig): what is wrong at a character of the text.
[[noreturn]] void fail_in_expression(const std::string& text,
                                     size_t position,
                                     const std::string& what);

}  // namespace kvscope
