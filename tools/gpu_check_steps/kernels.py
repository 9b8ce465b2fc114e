"""b. Every kernel on the device against the CPU: the oracles of tests/kernels."""

import os
import re

from gpu_check_steps.clock import Clock
from gpu_check_steps.markdown import table
from gpu_check_steps.series import Item, fail_rest, stop_rest, work_off
from gpu_check_steps.step import FAILED, PASSED, SKIPPED

KEY, NAME, TITLE = "b", "kernels", "every kernel against the CPU, odd sizes"
NEEDS = "the kernels' tests (kvscope_kernels_tests)"
WEIGHT, MOST_S, LEAST_S = 2, 120, 5

LONGEST_FILTER = 100_000  # Linux takes 131,072 bytes an argument
# The summary at the end names failed tests again, without a time.
RESULT = re.compile(r"\[\s+(OK|FAILED|SKIPPED)\s+\] ([\w/.]+)(?:, where .*)? \((\d+) ms\)")


def run(step, limit_s):
    program = step.places.kernel_tests
    if not os.access(program, os.X_OK):
        why = "the bundle was made from a build" if step.places.bundle else "this is a build"
        step.add("kernel tests", SKIPPED, f"{why} without {program.name} (ninja {program.name})")
        return
    clock = Clock(limit_s)
    names, outcome = list_tests(step, [program, "--device", step.device], limit_s)
    if outcome.ended_by == "interrupted":
        stop_rest(step, [Item("list of tests")], "interrupted")
    elif outcome.ended_by or outcome.exit_status != 0 or not names:
        reason = "no answer in time" if outcome.ended_by else outcome.reason()
        fail_rest(step, [Item("list of tests")], reason)
    else:
        work_off(step, [Item(name) for name in names], Command(program, step.device, len(names)), judge,
                 limit_s=clock.left(), results_of=TestLines(), lost=lambda reason: "CUDA error" in reason)


def list_tests(step, command, limit_s):
    names, suite = [], [""]

    def see(stream, line):
        word = line.split("#")[0].rstrip()
        if stream != "stdout" or not re.fullmatch(r"[\w/]+\.|  [\w/]+", word):
            return
        if word.startswith(" "):
            names.append(suite[0] + word.strip())
        else:
            suite[0] = word

    outcome = step.run(command + ["--gtest_list_tests"], limit_s=limit_s, on_line=see)
    return [name for name in names if "DISABLED_" not in name], outcome


class Command:
    """Runs the tests that are left: all without a filter, or as many as a filter may name."""

    def __init__(self, program, device, count):
        self._words = [program, "--device", device, "--gtest_color=no"]
        self._count = count

    def __call__(self, items):
        if len(items) == self._count:
            return self._words, self._count
        chosen, length = [], 0
        for item in items:
            length += len(item.name) + 1
            if length > LONGEST_FILTER:
                break
            chosen.append(item.name)
        return self._words + ["--gtest_filter=" + ":".join(chosen)], len(chosen)


class TestLines:
    """GoogleTest's console lines: what stands between a test's RUN and its result is the reason."""

    def __init__(self):
        self._said = []

    def __call__(self, stream, line):
        if stream != "stdout":
            return []
        if line.startswith("[ RUN "):
            self._said = []
            return []
        result = RESULT.match(line)
        if result is None:
            self._said.append(line.strip())
            return []
        return [{"test": result[2], "status": result[1].lower(), "milliseconds": int(result[3]),
                 "said": self._said[:20]}]


def judge(result):
    said = [line for line in result["said"] if line]
    # "FILE:LINE: Failure", or "Skipped", then the message.
    text = " ".join(said[1:4] if said and re.search(r": (Failure|Skipped)$", said[0]) else said[:3])
    if result["status"] == "ok":
        return PASSED, None
    if result["status"] == "skipped":
        return SKIPPED, text or "no reason given"
    return FAILED, text or "no reason given"


def section(record, data):
    suites = {}
    for item in record["items"]:
        if item["result"]:
            suite = item["name"].rsplit(".", 1)[0]
            suites.setdefault(suite, []).append(item)
    rows = []
    for suite, items in suites.items():
        count = {verdict: sum(item["verdict"] == verdict for item in items)
                 for verdict in (PASSED, FAILED, SKIPPED)}
        rows.append([suite, count[PASSED], count[FAILED], count[SKIPPED],
                     f"{sum(item['result']['milliseconds'] for item in items) / 1000:.1f}"])
    return table(["suite", "passed", "failed", "skipped", "seconds"], rows) if rows else []
