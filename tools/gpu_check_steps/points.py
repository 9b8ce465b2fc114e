"""Points of one configuration sweep as items: one process for all; alone where that one ended early."""

from gpu_check_steps.clock import Clock, share
from gpu_check_steps.series import Item, stop_rest, work_off


class Sweep:
    """One program call: `common` overrides, `axes` [(key, [values])], the last one varying fastest."""

    def __init__(self, title, common, axes, options=()):
        self._title, self._common, self._axes, self._options = title, common, axes, list(options)

    def items(self):
        points = [[]]
        for key, values in self._axes:
            points = [point + [(key, value)] for point in points for value in values]
        return [Item(", ".join([self._title] + [shown(key, value) for key, value in point]),
                     [f"{key}={value}" for key, value in point]) for point in points]

    def command(self, program_words, device):
        """command_for() of work_off()."""
        words = program_words + self._options + ["--json", "-m"] + self._common + [f"device={device}"]
        together = [f"{key}={','.join(str(value) for value in values)}" for key, values in self._axes]
        count = len(self.items())

        def command_for(left):
            if len(left) == count:
                return words + together, count
            return words + left[0].arguments, 1

        return command_for


def shown(key, value):
    return value if key == "policy" else f"{key.split('.')[-1]} {value}"


def run_sweeps(step, sweeps, program_words, judge, limit_s):
    """Each sweep has its part of the time; what it leaves over, the later ones inherit."""
    clock = Clock(limit_s)
    for index, sweep in enumerate(sweeps):
        if step.interrupted:
            stop_rest(step, sweep.items(), "interrupted")
            continue
        work_off(step, sweep.items(), sweep.command(program_words, step.device), judge,
                 limit_s=share(clock.left(), [1] * (len(sweeps) - index)))
