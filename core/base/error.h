#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace kvscope {

/// What went wrong, as a class of cause; the program's exit code follows from it.
enum class ErrorKind {
  kConfig,       ///< a typo, an unknown key, an impossible budget: exit 2, nothing ran
  kInput,        ///< a missing, truncated or hostile file: exit 3
  kEnvironment,  ///< no GPU, a full disk, an unwritable folder: exit 3
  kNumerics,     ///< NaN or infinity where a number was needed: exit 1
  kAudit,        ///< kept != planned or bytes != planned: exit 1
};

/// The one exception type the project throws on purpose. The message is for the user and complete:
/// what, where (file:line or the key), what was expected, the nearest right thing.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  [[nodiscard]] ErrorKind kind() const { return kind_; }
  [[nodiscard]] int exit_code() const;

 private:
  ErrorKind kind_;
};

/// The entry of `known` nearest to `word` by edit distance; empty if none is near enough to be
/// meant.
std::string nearest_name(const std::string& word, const std::vector<std::string>& known);

/// "Did you mean 'x'? Known: a, b, c." with the first part only when something is near.
std::string suggestion(const std::string& word, const std::vector<std::string>& known);

}  // namespace kvscope
