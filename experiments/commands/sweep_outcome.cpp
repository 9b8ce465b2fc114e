#include "experiments/commands/sweep_outcome.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "core/base/console.h"
#include "experiments/report/tables/table.h"
#include "experiments/report/text.h"
#include "experiments/terminal.h"

namespace kvscope {
namespace {

/// Every failed point with what it failed of, and how to try again.
std::string failure_table(const SweepOutcome& outcome) {
  Table table;
  const auto column = [&](const char* header, Importance importance) {
    table.columns.push_back({.header = header, .align = Align::kLeft, .importance = importance});
  };
  column("failed point", Importance::kRow);
  column("hash", Importance::kRow);
  column("class", Importance::kHeadline);
  column("attempts", Importance::kDetail);
  column("message", Importance::kHeadline);
  for (const FailedPoint& failed : outcome.failures) {
    table.rows.push_back(
        {.cells = {TableCell::text(printable(failed.name)), TableCell::text(failed.hash),
                   TableCell::text(failed.failure_class),
                   TableCell::text(fmt::format("{}", failed.attempts)),
                   TableCell::text(printable(failed.message))}});
  }
  // Cut to no terminal: a message is what people look for.
  return console_table(table, {.ansi = takes_escapes(STDERR_FILENO)}) +
         "to try these again: the same command with --retry-failed, one with --only HASH; "
         "retries=N tries by itself\n";
}

}  // namespace

int say_outcome(const SweepOutcome& outcome, const Sweep& sweep) {
  if (outcome.interrupted) {
    say("interrupted; {} images made and kept. The same command goes on:\n  {}",
        outcome.images_made, sweep.command_line);
    constexpr int kInterrupted = 130;
    return kInterrupted;
  }
  if (outcome.images_made == 0 && outcome.failures.empty() && outcome.points_elsewhere == 0) {
    say("all {} points are done already; nothing to make", sweep.list.points.size());
  }
  if (outcome.stopped) {
    say("stopped after {} failed point{} (max_failures, on_error); {} more {} not finished. The "
        "same command goes on:\n  {}",
        outcome.failures.size(), outcome.failures.size() == 1 ? "" : "s", outcome.points_left,
        outcome.points_left == 1 ? "is" : "are", sweep.command_line);
  }
  if (!outcome.failures.empty()) say_text(failure_table(outcome));
  std::fflush(stderr);
  return outcome.failures.empty() ? 0 : 1;
}

}  // namespace kvscope
