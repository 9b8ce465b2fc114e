"""Kinds of ill-treatment that end or stop the program at a random moment."""

import os
import shutil
import signal
import time

from bench import digest, results_of


def _killed(bench, words, seconds, kills):
    """Starts the program and kills it with everything it has started, `kills` times."""
    for _ in range(kills):
        process = bench.start(words)
        time.sleep(bench.choice.uniform(0, seconds))
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.communicate()


def _kill_run(*more):
    def kind(bench, tally):
        bench.whole_sweep()
        folder = bench.folder("killed")
        _killed(bench, bench.sweep(folder, *more), 2.5, bench.choice.randint(1, 4))
        tally.count(bench.end_differs(folder, *more))
    return kind


def kill_record(bench, tally):
    def shown(out):
        words = ["attention", "show", out, "mass.step"]
        return bench.run(words).out.replace(out, "FILE")

    def whole():
        out = os.path.join(bench.folder("whole_record"), "attention.h5")
        ended = bench.run(bench.record(out))
        assert ended.fault() is None, ended.fault()
        return shown(out)
    expected = bench.once("record", whole)
    out = os.path.join(bench.folder("killed_record"), "attention.h5")
    _killed(bench, bench.record(out), 2, bench.choice.randint(1, 4))
    ended = bench.run(bench.record(out))
    fault = ended.fault()
    if not fault and shown(out) != expected:
        fault = "the record is other than an uninterrupted one"
    if not fault and sorted(os.listdir(os.path.dirname(out))) != ["attention.h5"]:
        kept = [name for name in os.listdir(os.path.dirname(out)) if ".part-" not in name and name != "attention.h5"]
        fault = f"left over: {kept}" if kept else None
    tally.count(fault)


def kill_train(bench, tally):
    def whole():
        folder = bench.folder("whole_training")
        ended = bench.run(bench.training(folder))
        assert ended.fault() is None, ended.fault()
        return digest(os.path.join(folder, "model.safetensors"))
    expected = bench.once("training", whole)
    folder = bench.folder("killed_training")
    _killed(bench, bench.training(folder), 4, bench.choice.randint(1, 3))
    ended = bench.run(bench.training(folder))
    fault = ended.fault()
    if not fault and digest(os.path.join(folder, "model.safetensors")) != expected:
        fault = "the model is other than an uninterrupted one"
    tally.count(fault)


def _kill_reader(command):
    def kind(bench, tally):
        folder = bench.copy_of_whole("killed_reader")
        _killed(bench, [command, folder], 1, 2)
        ended = bench.run(["table", folder])
        fault = ended.fault()
        if not fault and results_of(folder) != bench.whole_sweep()[1]:
            fault = "the results are other than before"
        tally.count(fault)
    return kind


def interrupt_run(bench, tally):
    bench.whole_sweep()
    folder = bench.folder("interrupted")
    words = bench.sweep(folder)
    process = bench.start(words)
    time.sleep(bench.choice.uniform(0, 2.5))
    process.send_signal(bench.choice.choice([signal.SIGINT, signal.SIGTERM]))
    ended = bench.finish(words, process)
    # Before the handler is there, a signal ends the program at once, as it does any.
    fault = None if ended.code in (-signal.SIGINT, -signal.SIGTERM) else ended.fault((0, 130))
    tally.count(fault or bench.end_differs(folder))


def stop_workers(bench, tally):
    bench.whole_sweep()
    folder = bench.folder("stopped")
    words = bench.sweep(folder, "workers=2")
    process = bench.start(words)
    for _ in range(3):
        time.sleep(bench.choice.uniform(0, 0.8))
        with os.popen(f"ps -o pid= --ppid {process.pid}") as children:
            group = [int(pid) for pid in children.read().split()] + [process.pid]
        pid = bench.choice.choice(group)
        try:
            os.kill(pid, signal.SIGSTOP)
            time.sleep(bench.choice.uniform(0, 0.5))
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            break
    fault = bench.finish(words, process).fault()
    tally.count(fault or bench.end_differs(folder))


def two_at_once(bench, tally):
    bench.whole_sweep()
    folder = bench.folder("two")
    words = bench.sweep(folder)
    first, second = bench.start(words), bench.start(words)
    time.sleep(bench.choice.uniform(0, 2))
    killed = bench.choice.choice([None, first])
    if killed:
        try:
            os.killpg(killed.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    fault = bench.finish(words, second).fault()
    ended = bench.finish(words, first)
    fault = fault or (None if killed else ended.fault())
    tally.count(fault or bench.end_differs(folder))


KINDS = {
    "kill -9 run": _kill_run(),
    "kill -9 run of two workers": _kill_run("workers=2"),
    "kill -9 record": kill_record,
    "kill -9 training": kill_train,
    "kill -9 table": _kill_reader("table"),
    "kill -9 report": _kill_reader("report"),
    "interrupt run": interrupt_run,
    "stop and continue workers": stop_workers,
    "two programs, one killed": two_at_once,
}
