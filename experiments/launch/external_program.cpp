#include "experiments/launch/external_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr int kNotFound = 127;

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorKind::kEnvironment, fmt::format("{}: {}", what, std::strerror(errno)));
}

/// What the child of a fork becomes. Nothing here allocates after the fork.
[[noreturn]] void become(char* const* words, int output, int errors, int failed) {
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  execvp(words[0], words);
  const int why = errno;
  static_cast<void>(!write(failed, &why, sizeof(why)));
  _exit(kNotFound);
}

std::vector<char*> argument_list(const std::vector<std::string>& words) {
  std::vector<char*> list;
  list.reserve(words.size() + 1);
  for (const std::string& word : words) list.push_back(const_cast<char*>(word.c_str()));
  list.push_back(nullptr);
  return list;
}

struct Pipe {
  int out = -1;  ///< to read from
  int in = -1;
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) refuse("no pipe for another program");
    out = ends[0];
    in = ends[1];
  }
  ~Pipe() {
    close(out);
    close_in();
  }
  void close_in() {
    if (in >= 0) close(std::exchange(in, -1));
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
};

/// Starts the program; 0 where there is none of that name (errno says why).
pid_t start(const std::vector<std::string>& words, int output, int errors) {
  std::vector<char*> list = argument_list(words);
  Pipe failed;
  std::fflush(nullptr);
  const pid_t process = fork();
  if (process < 0) refuse("no process for another program");
  if (process == 0) become(list.data(), output, errors, failed.in);
  failed.close_in();
  int why = 0;
  ssize_t count = 0;
  while ((count = read(failed.out, &why, sizeof(why))) < 0 && errno == EINTR) {
  }
  if (count <= 0) return process;  // the pipe was closed as it became the program
  waitpid(process, nullptr, 0);
  errno = why;
  return 0;
}

int exit_code_of(int status) {
  constexpr int kSignals = 128;
  return WIFSIGNALED(status) ? kSignals + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

std::optional<ProgramAnswer> run_external(const std::vector<std::string>& words) {
  Pipe output;
  Pipe errors;
  const pid_t process = start(words, output.in, errors.in);
  if (process == 0) return std::nullopt;
  output.close_in();
  errors.close_in();
  ProgramAnswer answer;
  std::array<pollfd, 2> ends{{{.fd = output.out, .events = POLLIN, .revents = 0},
                              {.fd = errors.out, .events = POLLIN, .revents = 0}}};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    if (poll(ends.data(), ends.size(), -1) < 0 && errno != EINTR) break;
    for (size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      std::array<char, 4096> chunk{};
      const ssize_t count = read(ends[i].fd, chunk.data(), chunk.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        ends[i].fd = -1;
        continue;
      }
      (i == 0 ? answer.output : answer.errors).append(chunk.data(), static_cast<size_t>(count));
    }
  }
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  answer.exit_code = exit_code_of(status);
  return answer;
}

StartedProgram::StartedProgram(const std::vector<std::string>& words,
                               const std::filesystem::path& log) {
  const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0) refuse(log.string());
  process_ = start(words, file, file);
  const int why = errno;
  close(file);
  if (process_ == 0) {
    errno = why;
    refuse(fmt::format("'{}' cannot be started", words.front()));
  }
}

StartedProgram::StartedProgram(StartedProgram&& other) noexcept
    : process_(std::exchange(other.process_, -1)), exit_code_(other.exit_code_) {}

StartedProgram::~StartedProgram() {
  if (process_ <= 0 || exit_code()) return;
  ask_to_end();
}

std::optional<int> StartedProgram::exit_code() {
  if (exit_code_) return exit_code_;
  int status = 0;
  if (waitpid(process_, &status, WNOHANG) == process_) exit_code_ = exit_code_of(status);
  return exit_code_;
}

void StartedProgram::ask_to_end() const {
  if (!exit_code_) kill(process_, SIGTERM);
}

}  // namespace kvscope
