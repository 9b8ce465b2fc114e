"""Many results of few processes: what is finished counts, whatever becomes of the process.

Items are worked off in order, a result each. A process that dies, hangs or loses the GPU costs the item
it was at; a new one goes on with the rest.
"""

import json

from gpu_check_steps.clock import Clock
from gpu_check_steps.step import FAILED, PASSED, STOPPED

LEAST_S = 0.5        # less is not worth a process
QUIET_SHARE = 0.6    # of the time left that an item may take while others wait
FRUITLESS_MOST = 4   # processes in a row that brought nothing


class Item:
    """`arguments`: what a command needs to name it."""

    def __init__(self, name, arguments=()):
        self.name, self.arguments = name, arguments


def json_results(stream, line):
    """Results of a line of kvscope's own commands."""
    if stream != "stdout" or not line.startswith("{"):
        return []
    try:
        result = json.loads(line, parse_constant=lambda _: None)  # NaN is no JSON
    except ValueError:
        return []
    return [result] if isinstance(result, dict) else []


def gpu_is_lost(reason):
    """After such an error every later operation of the same process fails, too. Too little memory is no such
    error, nor is a device that was never opened ("device=cuda: ...").
    """
    text = (reason or "").lower()
    return "cuda" in text and "out of memory" not in text and not text.startswith("device=")


def work_off(step, items, command_for, judge, *, limit_s, results_of=json_results, lost=gpu_is_lost):
    """`command_for(items)` is (command, how many of them it covers); `judge(result)` (verdict, reason)."""
    clock, left, fruitless, alone = Clock(limit_s), list(items), 0, False
    while left:
        seconds = clock.left()
        if seconds < LEAST_S:
            stop_rest(step, left)
            return
        command, covered = command_for(left[:1] if alone else left)
        batch = left[:covered]
        done = _Progress(step, batch, results_of, judge, lost)
        try:
            outcome = step.run(command, limit_s=seconds, on_line=done.see,
                               quiet_s=seconds * QUIET_SHARE if len(left) > 1 else None)
        except OSError as error:
            fail_rest(step, left, f"cannot start {command[0]}: {error.strerror}")
            return
        left = left[done.count:]
        fruitless = 0 if done.good else fruitless + 1
        if outcome.ended_by == "interrupted":
            stop_rest(step, left, "interrupted")
            return
        if done.count == len(batch):
            _complain_of_end(step, outcome, done)
        elif outcome.ended_by == "limit":
            step.add(left[0].name, STOPPED, f"stopped at the limit, after {outcome.seconds:.0f} s")
            stop_rest(step, left[1:])
            return
        elif outcome.ended_by == "quiet":
            step.add(left[0].name, STOPPED, f"stopped: no result in {seconds * QUIET_SHARE:.0f} s")
            left = left[1:]
        elif outcome.ended_by is None and done.count == 0 and outcome.exit_status in (2, 3):
            # Nothing ran: the machine is at fault, or a setting of one of the items.
            if outcome.exit_status == 3:
                fail_rest(step, left, outcome.reason())
                return
            alone = True
            if len(batch) == 1:
                step.add(left[0].name, FAILED, outcome.reason())
                left = left[1:]
        elif outcome.ended_by is None:
            step.add(left[0].name, FAILED, outcome.reason())
            left = left[1:]
        if left and fruitless == FRUITLESS_MOST:
            fail_rest(step, left, f"given up: {FRUITLESS_MOST} processes in a row brought nothing")
            return


class _Progress:
    """Turns lines into results of the items of one process."""

    def __init__(self, step, batch, results_of, judge, lost):
        self._step, self._batch, self._results_of = step, batch, results_of
        self._judge, self._lost = judge, lost
        self.count = 0
        self.good = self.failed = False

    def see(self, stream, line):
        """None: nothing new; False: a result; True: the process has lost the GPU."""
        answer = None
        for result in self._results_of(stream, line):
            if self.count == len(self._batch):
                break
            verdict, reason = self._judge(result)
            self._step.add(self._batch[self.count].name, verdict, reason, result)
            self.count += 1
            self.good = self.good or verdict != FAILED
            self.failed = self.failed or verdict == FAILED
            answer = False
            if verdict == FAILED and self._lost(reason) and self.count < len(self._batch):
                return True
        return answer


def _complain_of_end(step, outcome, done):
    """All results are there; a process that then ends badly is still wrong."""
    if outcome.ended_by is not None or outcome.exit_status == 0:
        return
    if not (outcome.exit_status in (1, 3) and done.failed):
        step.add("end of the program", FAILED, f"after its last result: {outcome.reason()}")


def stop_rest(step, items, reason="not started: no time left"):
    for item in items:
        step.add(item.name, STOPPED, reason)


def fail_rest(step, items, reason):
    for item in items:
        step.add(item.name, FAILED, reason)
