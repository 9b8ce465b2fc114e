"""A step while it runs: it runs programs, and writes down what they bring as they bring it."""

import time

from gpu_check_steps import process

PASSED, FAILED, STOPPED, SKIPPED = "passed", "failed", "stopped", "skipped"


class StepRun:
    """`record` is the step's part of report.json."""

    def __init__(self, record, places, report, device, stop):
        self.record, self.places, self.device = record, places, device
        self._report, self._stop = report, stop
        self._environment = places.environment()
        if self.tiny:  # threads that wait for each other on a busy machine would take most of the time
            self._environment.setdefault("OMP_NUM_THREADS", "1")
        self._since = time.monotonic()

    @property
    def tiny(self):
        """On a CPU everything shrinks: what is tried then is this program, not the machine."""
        return self.device == "cpu"

    @property
    def folder(self):
        return self._report.folder

    @property
    def interrupted(self):
        return self._stop.count > 0

    def run(self, command, *, limit_s, on_line, quiet_s=None, grace_s=2.0):
        """process.run() with logs; also written down in the report. OSError where it cannot be started."""
        number = len(self.record["processes"]) + 1
        stem = f"{self.record['key']}-{self.record['name']}-{number}"
        logs = [self.folder / "logs" / f"{stem}.{stream}" for stream in ("out", "err")]
        command = [str(word) for word in command]
        outcome = process.run(
            command, limit_s=limit_s, quiet_s=quiet_s, grace_s=grace_s, logs=logs, on_line=on_line,
            environment=self._environment, folder=self.folder / "logs", stop=self._stop)
        self.record["processes"].append({
            "command": command, "seconds": round(outcome.seconds, 3), "exit_status": outcome.exit_status,
            "ended_by": outcome.ended_by, "last_words": outcome.last_words, "log": f"logs/{stem}"})
        self._report.save()
        return outcome

    def add(self, name, verdict, reason=None, result=None):
        """One finished item; seconds count from the one before."""
        now = time.monotonic()
        self.record["items"].append({
            "name": name, "verdict": verdict, "reason": one_line(reason), "seconds": round(now - self._since, 3),
            "result": result})
        self._since = now
        self._report.save()

    def conclude(self):
        """The verdict and one line of reason from the items, where the step has not set its own."""
        if self.record["verdict"] != "running":
            return
        items = self.record["items"]
        for verdict in (FAILED, STOPPED):
            wrong = [item for item in items if item["verdict"] == verdict]
            if wrong:
                self.record.update(verdict=verdict, reason=summary_of(wrong, items))
                return
        if items and all(item["verdict"] == SKIPPED for item in items):
            self.record.update(verdict=SKIPPED, reason=items[0]["reason"])
            return
        skipped = sum(item["verdict"] == SKIPPED for item in items)
        self.record.update(verdict=PASSED,
                           reason=f"{skipped} of {len(items)} skipped" if skipped else None)


def one_line(reason):
    """The first line of a message, and not without end: LibTorch's go on with hints and addresses."""
    if not reason:
        return None
    line = next((line.strip() for line in reason.splitlines() if line.strip()), "")
    return line if len(line) <= process.LONGEST_REASON else line[:process.LONGEST_REASON] + "..."


def summary_of(wrong, items):
    """One line: the reason alone where it is that of all."""
    reasons = {item["reason"] for item in wrong}
    if len(wrong) == len(items) and len(reasons) == 1:
        return wrong[0]["reason"]
    text = f"{wrong[0]['name']}: {wrong[0]['reason']}"
    return text if len(wrong) == 1 else f"{len(wrong)} of {len(items)}, first {text}"
