#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config/grammar_function.h"

namespace kvscope {

/// The arguments of one call of a function of the override grammar, matched with its parameters one
/// by one. Quotes are gone, as a function sees texts. Errors are Error(kConfig).
class GrammarArguments {
 public:
  GrammarArguments(std::string function, std::vector<GrammarArgument> arguments);

  /// All positional arguments, of a function that takes any number of them.
  [[nodiscard]] const std::vector<GrammarResult>& positional() const { return positional_; }
  /// The parameter of that name, given by position or by name; none if it was not given.
  std::optional<GrammarResult> take(const std::string& name);
  /// The parameter of that name, given by name.
  std::optional<GrammarResult> take_named(const std::string& name);
  /// true or false by name, false if it was not given.
  bool take_flag(const std::string& name);
  /// Refuses what no parameter took; `any_positional`: of named arguments.
  void finish(bool any_positional) const;

  [[noreturn]] void fail(const std::string& what) const;

 private:
  std::string function_;
  std::vector<GrammarResult> positional_;
  std::vector<GrammarArgument> named_;
  size_t taken_ = 0;  // positional arguments
};

}  // namespace kvscope
