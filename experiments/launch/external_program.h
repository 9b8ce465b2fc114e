#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace kvscope {

/// What a program that has run to its end said.
struct ProgramAnswer {
  int exit_code = 0;  ///< 128 + the signal that ended it
  std::string output{};
  std::string errors{};
};

/// Runs a program by these words, none of which a shell sees, without standard input; the first is
/// looked for in PATH. nullopt where it cannot be started. Throws Error(kEnvironment) where this
/// machine can start none.
std::optional<ProgramAnswer> run_external(const std::vector<std::string>& words);

/// A program at work, whose output goes to a file. Its end is asked for (SIGTERM) when this goes.
class StartedProgram {
 public:
  /// Appends to `log`. Throws Error(kEnvironment) where it cannot be started.
  StartedProgram(const std::vector<std::string>& words, const std::filesystem::path& log);
  ~StartedProgram();
  StartedProgram(StartedProgram&& other) noexcept;
  StartedProgram(const StartedProgram&) = delete;
  StartedProgram& operator=(const StartedProgram&) = delete;
  StartedProgram& operator=(StartedProgram&&) = delete;

  /// Its exit code, or 128 + the signal that ended it; nullopt while it runs.
  std::optional<int> exit_code();
  /// Asks it to end.
  void ask_to_end() const;

 private:
  pid_t process_ = -1;
  std::optional<int> exit_code_{};
};

}  // namespace kvscope
