#include "experiments/launch/job_pool.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <list>
#include <map>
#include <new>
#include <optional>
#include <vector>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr int kPollMilliseconds = 100;

/// What parent and children share.
struct Board {
  std::atomic<int64_t> next{0};
  std::atomic<bool> stop{false};
};
static_assert(std::atomic<int64_t>::is_always_lock_free);

class SharedBoard {
 public:
  SharedBoard() {
    void* page =
        mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
      throw Error(ErrorKind::kEnvironment,
                  fmt::format("workers: no shared memory: {}", std::strerror(errno)));
    }
    board_ = new (page) Board;
  }
  ~SharedBoard() { munmap(board_, sizeof(Board)); }
  SharedBoard(const SharedBoard&) = delete;
  SharedBoard& operator=(const SharedBoard&) = delete;
  Board* operator->() const { return board_; }

 private:
  Board* board_ = nullptr;
};

enum class Said : int64_t { kBegun, kTold, kEnded, kThrew };

/// What a child writes into its pipe, `text_bytes` of text behind it.
struct MessageHead {
  Said said;
  int64_t job;
  int64_t number;  ///< kTold: the number; kThrew: the ErrorKind
  int64_t text_bytes;
};

/// A parent that is gone ends the child: SIGPIPE, or the death signal before.
void send(int pipe, const MessageHead& head, const std::string& text = {}) {
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof(head));
  bytes += text;
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t count = write(pipe, bytes.data() + sent, bytes.size() - sent);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) _exit(1);
    sent += static_cast<size_t>(count);
  }
}

void send_failure(int pipe, int64_t job, ErrorKind kind, const std::string& text) {
  send(pipe,
       {.said = Said::kThrew,
        .job = job,
        .number = static_cast<int64_t>(kind),
        .text_bytes = std::ssize(text)},
       text);
}

/// What the children of a pool do.
struct Duty {
  int64_t jobs;
  const JobWork& work;
  const JobSetup& setup;
};

constexpr int64_t kNoJob = -1;

/// The life of a child. It begins with `first`, unless that is none.
void work_until_done(int pipe, const Duty& duty, int64_t first, const SharedBoard& board) {
  const auto over = [&] {
    return board->stop.load() || (first == kNoJob && board->next >= duty.jobs);
  };
  try {
    if (duty.setup) duty.setup(over);
  } catch (const Error& error) {
    return send_failure(pipe, kNoJob, error.kind(), error.what());
  }
  if (over()) return;
  for (int64_t job = first == kNoJob ? board->next++ : first; job < duty.jobs && !board->stop;
       job = board->next++) {
    send(pipe, {.said = Said::kBegun, .job = job, .number = 0, .text_bytes = 0});
    try {
      const std::string result = duty.work(
          job, {.tell =
                    [&](int64_t number) {
                      send(pipe,
                           {.said = Said::kTold, .job = job, .number = number, .text_bytes = 0});
                    },
                .stop_asked = [&] { return board->stop.load(); }});
      send(pipe, {.said = Said::kEnded, .job = job, .number = 0, .text_bytes = std::ssize(result)},
           result);
    } catch (const Error& error) {
      return send_failure(pipe, job, error.kind(), error.what());
    } catch (const std::exception& error) {
      return send_failure(pipe, job, ErrorKind::kEnvironment, error.what());
    }
  }
}

/// A child as its parent sees it.
class Worker {
 public:
  Worker(const Duty& duty, int64_t first, const SharedBoard& board) : job_(first) {
    int ends[2];
    if (pipe(ends) != 0) fail("pipe");
    std::fflush(nullptr);  // or the child would print it, too
    const pid_t parent = getpid();
    process_ = fork();
    if (process_ < 0) {
      close(ends[0]);
      close(ends[1]);
      fail("process");
    }
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(1);
      work_until_done(ends[1], duty, first, board);
      _exit(0);  // without destructors: what they would undo is the parent's
    }
    close(ends[1]);
    pipe_ = ends[0];
  }
  ~Worker() {
    if (pipe_ >= 0) close(pipe_);
    if (process_ > 0) {
      kill(process_, SIGKILL);
      waitpid(process_, nullptr, 0);
    }
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  [[nodiscard]] int pipe_end() const { return pipe_; }
  [[nodiscard]] bool is_open() const { return pipe_ >= 0; }
  /// The job at work, or to be begun first; negative: none.
  [[nodiscard]] int64_t job() const { return job_; }

  /// Reads what is there and calls `hear(head, text)` for every whole message. After the end of the
  /// pipe the worker is closed.
  template <class Hear>
  void read_some(const Hear& hear) {
    char chunk[4096];
    const ssize_t count = read(pipe_, chunk, sizeof(chunk));
    if (count < 0 && errno == EINTR) return;
    if (count <= 0) {
      close(pipe_);
      pipe_ = -1;
      return;
    }
    bytes_.append(chunk, static_cast<size_t>(count));
    MessageHead head{};
    while (bytes_.size() >= sizeof(head)) {
      std::memcpy(&head, bytes_.data(), sizeof(head));
      const size_t whole = sizeof(head) + static_cast<size_t>(head.text_bytes);
      if (bytes_.size() < whole) return;
      const std::string text = bytes_.substr(sizeof(head), whole - sizeof(head));
      bytes_.erase(0, whole);
      if (head.said == Said::kBegun) job_ = head.job;
      if (head.said == Said::kEnded || head.said == Said::kThrew) job_ = kNoJob;
      hear(head, text);
    }
  }

  /// How the closed worker's process ended; empty where it ended as it should.
  std::string join() {
    int status = 0;
    waitpid(std::exchange(process_, -1), &status, 0);
    if (!WIFSIGNALED(status)) {
      const int code = WEXITSTATUS(status);
      return code == 0 ? "" : fmt::format("its process ended with exit code {}", code);
    }
    const int signal = WTERMSIG(status);
    return fmt::format("its process was ended by signal {} ({}){}", signal, strsignal(signal),
                       signal == SIGKILL ? ", perhaps because the machine ran out of memory" : "");
  }

 private:
  [[noreturn]] static void fail(const char* what) {
    throw Error(ErrorKind::kEnvironment,
                fmt::format("workers: no {} for another one: {}", what, std::strerror(errno)));
  }

  pid_t process_ = -1;
  int pipe_ = -1;
  std::string bytes_;
  int64_t job_ = kNoJob;
};

class Pool {
 public:
  Pool(const Duty& duty, int64_t workers, const JobEvents& events) : duty_(duty), events_(events) {
    for (int64_t i = 0; i < std::min(workers, duty.jobs); ++i) {
      workers_.emplace_back(duty_, kNoJob, board_);
    }
    replacements_left_ = std::ssize(workers_);
  }

  void run(const std::function<bool()>& stop_asked) {
    while (!workers_.empty()) {
      if (stop_asked()) board_->stop = true;
      listen();
    }
    if (failure_) throw Error(failure_->kind, failure_->text);
    if (!board_->stop && board_->next < duty_.jobs) {
      throw Error(ErrorKind::kEnvironment,
                  fmt::format("workers: all processes are gone with {} of {} points not begun; "
                              "the same command goes on",
                              duty_.jobs - board_->next, duty_.jobs));
    }
  }

 private:
  static constexpr int64_t kTries = 2;

  struct Failure {
    ErrorKind kind;
    std::string text;
  };

  void listen() {
    std::vector<pollfd> waiting;
    for (const Worker& worker : workers_) {
      waiting.push_back({.fd = worker.pipe_end(), .events = POLLIN, .revents = 0});
    }
    if (poll(waiting.data(), waiting.size(), kPollMilliseconds) <= 0) return;
    auto worker = workers_.begin();
    for (const pollfd& pipe : waiting) {
      if (pipe.revents != 0) {
        worker->read_some(
            [&](const MessageHead& head, const std::string& text) { hear(head, text); });
      }
      if (worker->is_open()) {
        ++worker;
        continue;
      }
      const std::string how = worker->join();
      const int64_t job = worker->job();
      worker = workers_.erase(worker);
      if (!how.empty()) replace(job, how);  // at the end of the list
    }
  }

  /// A process is gone with its job, or with none.
  void replace(int64_t job, const std::string& how) {
    const bool goes_on = !board_->stop;
    if (job == kNoJob) {
      if (goes_on && board_->next < duty_.jobs && replacements_left_-- > 0) begin_another(kNoJob);
      return;
    }
    if (goes_on && ++deaths_[job] < kTries && begin_another(job)) {
      if (events_.begun_again) events_.begun_again(job, how);
      return;
    }
    events_.died(job, how);
    if (goes_on && board_->next < duty_.jobs) begin_another(kNoJob);
  }

  /// False where the machine has no other process: those that are left go on.
  bool begin_another(int64_t first) {
    try {
      workers_.emplace_back(duty_, first, board_);
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  void hear(const MessageHead& head, const std::string& text) {
    switch (head.said) {
      case Said::kBegun:
        return events_.begun(head.job);
      case Said::kTold:
        return events_.told(head.job, head.number);
      case Said::kEnded:
        return events_.ended(head.job, text);
      case Said::kThrew:
        board_->stop = true;
        if (!failure_) failure_ = {.kind = static_cast<ErrorKind>(head.number), .text = text};
    }
  }

  const Duty& duty_;
  const JobEvents& events_;
  SharedBoard board_;
  std::list<Worker> workers_;
  std::map<int64_t, int64_t> deaths_;  // of processes, by job
  int64_t replacements_left_ = 0;      // of processes that die without a job
  std::optional<Failure> failure_;
};

}  // namespace

void run_jobs(int64_t jobs,
              int64_t workers,
              const JobWork& work,
              const JobEvents& events,
              const std::function<bool()>& stop_asked,
              const JobSetup& setup) {
  const Duty duty{.jobs = jobs, .work = work, .setup = setup};
  Pool(duty, workers, events).run(stop_asked);
}

}  // namespace kvscope
