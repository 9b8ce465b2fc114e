#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace kvscope {

/// What a job has at hand in its process.
struct JobContext {
  std::function<void(int64_t)> tell;  ///< gives the parent a number, such as images just made
  std::function<bool()> stop_asked;   ///< whether to end early
};

/// A job, in a child process; what it returns reaches JobEvents::ended.
using JobWork = std::function<std::string(int64_t job, const JobContext& context)>;

/// What a child does before its first job. It may wait, until `over`: no job is left for it.
using JobSetup = std::function<void(const std::function<bool()>& over)>;

/// What the parent hears, in its own process and one at a time.
struct JobEvents {
  std::function<void(int64_t job)> begun;
  std::function<void(int64_t job, int64_t number)> told;
  std::function<void(int64_t job, const std::string& result)> ended;
  /// The process of a job is gone before its end, twice; `how` says by what. The others go on.
  std::function<void(int64_t job, const std::string& how)> died;
  /// It is gone for the first time, and another process begins the job again.
  std::function<void(int64_t job, const std::string& how)> begun_again = {};
};

/// Runs jobs 0 .. jobs - 1 in `workers` child processes, each taking the next one when it is free:
/// processes, as a thread count, an allocation counter and a device are one a process. The caller
/// must not have started threads or a device, which a child would not have. Children end with
/// their parent; one that dies is replaced, and its job is begun once more. Once `stop_asked` no
/// job begins and those at work are asked to end.
/// An exception of a job stops all others and is thrown here, as Error of its kind or, of another
/// type, Error(kEnvironment). Throws Error(kEnvironment) where processes cannot be had, or all died
/// before the last job.
void run_jobs(int64_t jobs,
              int64_t workers,
              const JobWork& work,
              const JobEvents& events,
              const std::function<bool()>& stop_asked,
              const JobSetup& setup = {});

}  // namespace kvscope
