"""a. The card, its driver and libraries; a copy and a matrix product as the limits that it reaches."""

import shutil

from gpu_check_steps.clock import Clock
from gpu_check_steps.markdown import number, table
from gpu_check_steps.series import Item, json_results, stop_rest, work_off
from gpu_check_steps.step import PASSED, SKIPPED

KEY, NAME, TITLE = "a", "card", "card, driver, versions, measured limits"
NEEDS = "the program"
WEIGHT, MOST_S, LEAST_S = 2, 60, 5

NVIDIA_SMI = ["nvidia-smi", "--format=csv,noheader", "--query-gpu=name,driver_version,memory.total,"
              "memory.used,temperature.gpu,clocks.sm,clocks.max.sm,power.draw,power.limit"]
LIMITS = (("copy_gigabytes_per_s", "copy, GB/s"), ("bf16_gemm_tflop_per_s", "bf16 product, Tflop/s"),
          ("fp32_gemm_tflop_per_s", "fp32 product, Tflop/s"))


def run(step, limit_s):
    clock = Clock(limit_s)
    if not step.tiny:
        ask_driver(step, min(10, clock.left()))
    version = [step.places.program, "--version"]
    work_off(step, [Item("version")], lambda items: (version, 1), lambda result: (PASSED, None),
             limit_s=clock.left(), results_of=version_line)
    if step.interrupted:
        stop_rest(step, [Item("device info")], "interrupted")
        return
    info = [step.places.program, "device", "info", "--device", step.device, "--json"]
    info += ["--quick"] if step.tiny else []
    work_off(step, [Item("device info")], lambda items: (info, 1), lambda result: (PASSED, None),
             limit_s=clock.left(), results_of=json_results)


def version_line(stream, line):
    return [{"version": line.strip()}] if stream == "stdout" and line.strip() else []


def ask_driver(step, limit_s):
    if shutil.which(NVIDIA_SMI[0]) is None:
        step.add("nvidia-smi", SKIPPED, "no nvidia-smi on the PATH")
        return
    lines = []

    def keep(stream, line):
        if stream == "stdout" and line.strip():
            lines.append(line.strip())

    outcome = step.run(NVIDIA_SMI, limit_s=limit_s, on_line=keep)
    if outcome.exit_status == 0:
        step.add("nvidia-smi", PASSED, None, {"lines": lines})
    else:
        step.add("nvidia-smi", SKIPPED, "; ".join(lines) or outcome.reason())


def info_of(data):
    """What `kvscope device info` said; empty where it said nothing."""
    for step in data["steps"]:
        for item in step["items"]:
            if step["key"] == KEY and item["name"] == "device info" and item["result"]:
                return item["result"]
    return {}


def section(record, data):
    info = info_of(data)
    lines = []
    if info:
        lines += table(["measured limit", "value"],
                       [[title, number(info.get(key), 1)] for key, title in LIMITS])
    for item in record["items"]:
        if item["name"] == "nvidia-smi" and item["result"]:
            lines += ["nvidia-smi (name, driver, memory, memory used, °C, clock, highest clock, power, its limit):",
                      ""] + [f"    {line}" for line in item["result"]["lines"]] + [""]
    return lines
