#include "core/config/grammar_arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace kvscope {

GrammarArguments::GrammarArguments(std::string function, std::vector<GrammarArgument> arguments)
    : function_(std::move(function)) {
  for (GrammarArgument& argument : arguments) {
    argument.value.value.quote = '\0';
    if (argument.name.empty()) {
      positional_.push_back(std::move(argument.value));
      continue;
    }
    std::erase_if(named_, [&](const auto& known) { return known.name == argument.name; });
    named_.push_back(std::move(argument));
  }
}

void GrammarArguments::fail(const std::string& what) const {
  throw Error(ErrorKind::kConfig, fmt::format("{}(..): {}", function_, what));
}

std::optional<GrammarResult> GrammarArguments::take_named(const std::string& name) {
  const auto found = std::ranges::find(named_, name, &GrammarArgument::name);
  if (found == named_.end()) return std::nullopt;
  GrammarResult result = std::move(found->value);
  named_.erase(found);
  return result;
}

std::optional<GrammarResult> GrammarArguments::take(const std::string& name) {
  std::optional<GrammarResult> named = take_named(name);
  if (taken_ == positional_.size()) return named;
  if (named) fail(fmt::format("'{}' is given twice", name));
  return positional_[taken_++];
}

bool GrammarArguments::take_flag(const std::string& name) {
  const std::optional<GrammarResult> given = take_named(name);
  if (!given) return false;
  if (given->sweep || given->value.kind != ConfigKind::kBool) {
    fail(fmt::format("{} must be true or false", name));
  }
  return given->value.scalar.as_bool();
}

void GrammarArguments::finish(bool any_positional) const {
  if (!named_.empty()) fail(fmt::format("there is no argument '{}'", named_.front().name));
  if (!any_positional && taken_ < positional_.size()) {
    fail(fmt::format("takes {} arguments, got {}", taken_, positional_.size()));
  }
}

}  // namespace kvscope
