#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kvscope {

/// How the making of a point ended. A value, so that it can come from another process or machine.
struct PointOutcome {
  enum class State {
    kDone,         ///< all its images are there
    kInterrupted,  ///< it was asked to end; what it has is kept
    kFailed,       ///< a fault of its own: the other points go on
    kBusy,         ///< another program makes it
    kElsewhere,    ///< other programs are to make it, and nobody here waits for them
  };

  State state = State::kDone;
  std::string message{};  ///< why it failed, or who makes it
  /// What kind of fault it was, of a failed one: out_of_memory, numerics, audit, input,
  /// environment, library (LibTorch's), internal (a fault of kvscope), process (it died),
  /// job (a command or task elsewhere ended without it).
  std::string failure_class{};
  std::vector<std::string> notes{};  ///< what the user should know besides

  bool operator==(const PointOutcome&) const = default;
};

/// "done", "interrupted", "failed", "busy".
std::string_view name_of(PointOutcome::State state);

/// {"state": "failed", "message": "...", "class": "audit", "notes": []} in one line.
std::string to_json(const PointOutcome& outcome);
/// Throws Error(kInput) for anything else.
PointOutcome point_outcome(std::string_view json);

}  // namespace kvscope
