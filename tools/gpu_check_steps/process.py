"""One program run: its lines as they come, its logs kept, ended with all its children at its limit."""

import contextlib
import os
import re
import selectors
import signal
import subprocess
import time

POLL_S = 0.1
KILLED_WITHIN_S = 2.0  # a process that hangs in a driver may outlive SIGKILL; nobody waits longer for it
LONGEST_REASON = 400


class StopRequest:
    """Ctrl-C, SIGTERM or a lost terminal: noted here, obeyed by whoever waits for a process."""

    def __init__(self):
        self.count = 0

    def listen(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, *_):
        self.count += 1


class Outcome:
    """How a process ended: `ended_by` is None where it ended by itself."""

    def __init__(self, exit_status, ended_by, seconds, last_words):
        self.exit_status = exit_status  # negative: the signal; None: it could not even be killed
        self.ended_by = ended_by        # None | limit | quiet | asked | interrupted
        self.seconds = seconds
        self.last_words = last_words    # of standard error: the "error: ..." line, or the last one

    def reason(self):
        """One line for a person."""
        if self.exit_status is None:
            return "it could not be killed and was left behind"
        if self.exit_status < 0:
            how = "ended by " + signal_name(-self.exit_status)
            return f"{how}: {self.last_words}" if self.last_words else how
        if self.exit_status == 0:
            return "it ended without a result"
        return self.last_words or f"exit {self.exit_status} without a message"


def signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Words:
    """Remembers the line of standard error that says what is wrong."""

    # What follows a message of LibTorch or a crash says nothing to a reader of a report.
    NOISE = re.compile(r"^\s*(frame #|Aborted|Segmentation fault|\(core dumped\)|$)")

    def __init__(self):
        self._error, self._last = "", ""

    def see(self, line):
        line = re.sub(r"\x1b\[[0-9;]*m", "", line).strip()
        if line.startswith("error: "):
            self._error = line[len("error: "):]
        elif not self.NOISE.match(line):
            self._last = line

    def text(self):
        text = self._error or self._last
        return text if len(text) <= LONGEST_REASON else text[:LONGEST_REASON] + "..."


class _Lines:
    """Splits one pipe into lines and keeps all of it in a log."""

    def __init__(self, pipe, log_path):
        os.set_blocking(pipe.fileno(), False)
        self._pipe, self._log, self._rest = pipe, open(log_path, "ab"), b""

    def read(self):
        """Complete lines that are there now; None at the end of the pipe."""
        try:
            chunk = os.read(self._pipe.fileno(), 1 << 16)
        except BlockingIOError:
            return []
        if not chunk:
            last, self._rest = self._rest, b""
            return [last.decode("utf-8", "replace")] if last else None
        with contextlib.suppress(OSError):  # a full disk is said when the report is written
            self._log.write(chunk)
            self._log.flush()
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [line.decode("utf-8", "replace") for line in lines]

    def close(self):
        with contextlib.suppress(OSError):
            self._log.close()
        self._pipe.close()


class _Child:
    def __init__(self, command, environment, folder):
        # A session of its own: a Ctrl-C of the terminal reaches it only through us.
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment, cwd=folder, start_new_session=True)
        self.stdout, self.stderr = self._process.stdout, self._process.stderr

    def ended(self):
        """Whether it has ended; it is not reaped yet, so that its group's number stays its own."""
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, options) is not None

    def send(self, number):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def reap(self):
        """The exit status, after whatever is left of its group has been killed."""
        self.send(signal.SIGKILL)
        try:
            return self._process.wait(KILLED_WITHIN_S)
        except subprocess.TimeoutExpired:
            return None


def run(command, *, limit_s, logs, environment, folder, stop, on_line, quiet_s=None, grace_s=2.0):
    """Runs `command` for `limit_s` at most, all included; returns its Outcome.

    It is asked to stop (SIGINT) `grace_s` before its limit, or once `on_line` has answered True, `quiet_s`
    have passed without an answer other than None, or `stop` was requested; and killed after `grace_s`.
    `on_line(stream, text)` gets every line, stream being "stdout" or "stderr". `logs` are the paths of the
    two logs. OSError where it cannot be started.
    """
    began = time.monotonic()
    grace_s = min(grace_s, limit_s / 4)
    words, ended_by, kill_at = Words(), None, None
    child = _Child(command, environment, folder)
    heard = began
    with selectors.DefaultSelector() as selector:
        streams = {"stdout": _Lines(child.stdout, logs[0]), "stderr": _Lines(child.stderr, logs[1])}
        for name, pipe in (("stdout", child.stdout), ("stderr", child.stderr)):
            selector.register(pipe, selectors.EVENT_READ, name)
        open_streams = set(streams)
        while True:
            ended = child.ended()  # before reading: what an ended process wrote is in its pipes
            got_any = False
            for key, _ in selector.select(0 if ended else POLL_S) if open_streams else ():
                lines = streams[key.data].read()
                if lines is None:
                    selector.unregister(key.fileobj)
                    open_streams.discard(key.data)
                    continue
                got_any = True
                for line in lines:
                    if key.data == "stderr":
                        words.see(line)
                    answer = on_line(key.data, line) if ended_by is None else None
                    if answer is not None:
                        heard = time.monotonic()
                    if answer:
                        ended_by = "asked"
            if ended and not got_any:
                break
            if not open_streams:
                time.sleep(POLL_S)
            now = time.monotonic()
            if ended_by is None:
                if stop.count:
                    ended_by = "interrupted"
                elif now > began + limit_s - grace_s:
                    ended_by = "limit"
                elif quiet_s is not None and now > heard + quiet_s:
                    ended_by = "quiet"
            if ended_by and kill_at is None:
                child.send(signal.SIGINT)
                kill_at = min(now + grace_s, began + limit_s)
            if kill_at is not None and (now > kill_at or stop.count > 1):
                break
        status = child.reap()
        for stream in streams.values():
            stream.close()
    return Outcome(status, ended_by, time.monotonic() - began, words.text())
