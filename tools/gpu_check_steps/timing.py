"""e. and f. Full-sized models with random weights: how long a step takes, and what it spends that on."""

from gpu_check_steps import card
from gpu_check_steps.markdown import mebibytes, number, percent, table
from gpu_check_steps.points import Sweep, run_sweeps
from gpu_check_steps.step import FAILED, PASSED

KINDS = ("linear", "attention", "decision", "copies", "sampling", "other", "waiting")


def judge(result):
    return (FAILED, str(result["error"])) if result.get("error") else (PASSED, None)


def janus(batches, policies=("full", "ssd"), options=()):
    return Sweep("janus_pro_1b", ["model=janus_pro_1b", "model.weights=random", "budget.ratio=0.2",
                                  "gen.images=${gen.batch}"],
                 [("policy", list(policies)), ("gen.batch", batches)], options)


def infinity(options=()):
    return Sweep("infinity_2b", ["model=infinity_2b", "model.weights=random", "budget.ratio=0.1",
                                 "gen.images=1", "gen.batch=1"], [("policy", ["full", "scalekv"])], options)


def embedded(options=()):
    """What stands for the full sizes where a CPU tries this program."""
    common = ["budget.ratio=0.2", "gen.images=${gen.batch}"]
    return [Sweep("shapes_next_token", ["model=shapes_next_token"] + common,
                  [("policy", ["full", "ssd"]), ("gen.batch", [1, 2])], options),
            Sweep("shapes_next_scale", ["model=shapes_next_scale", "gen.batch=1"] + common,
                  [("policy", ["full", "scalekv"])], options)]


def results(record):
    return [(item["name"], item["result"]) for item in record["items"]
            if item["result"] and not item["result"].get("error")]


class Timing:
    KEY, NAME, TITLE = "e", "timing", "full sizes: seconds per step, policy, memory"
    NEEDS = "the program; for all of it 20 GB of device memory"
    WEIGHT, MOST_S, LEAST_S = 5, 240, 10

    @staticmethod
    def run(step, limit_s):
        sweeps = embedded() if step.tiny else [janus([1, 16]), infinity()]
        run_sweeps(step, sweeps, [step.places.program, "device", "time"], judge, limit_s)

    @staticmethod
    def section(record, data):
        bandwidth = card.info_of(data).get("copy_gigabytes_per_s")
        steps, memory = [], []
        for name, result in results(record):
            steps.append([name, result.get("steps", "")] + [number(result.get(key), 2) for key in (
                "first_step_ms", "median_step_ms", "last_step_ms", "attention_ms", "policy_ms", "text_ms",
                "decode_ms", "total_ms", "images_per_s")])
            memory.append([name] + [mebibytes(result.get(key)) for key in (
                "weights_bytes", "kv_live_bytes", "kv_peak_bytes", "kv_peak_planned_bytes",
                "device_peak_bytes")] + least_read(result, bandwidth))
        if not steps:
            return []
        return (["Milliseconds. Attention, policy, text and decoding are sums over all steps.", ""]
                + table(["point", "steps", "first step", "median step", "last step", "attention", "policy",
                         "text", "decode", "whole", "images/s"], steps)
                + ["Bytes in MiB. The last step reads all weights and what the cache holds; at the bandwidth of the "
                   "copy above that takes the time of the last but one column.", ""]
                + table(["point", "weights", "KV live", "KV peak", "(plan)", "device peak",
                         "least time of the last step, ms", "share of its real time"], memory))


def least_read(result, gigabytes_per_s):
    """[ms, share]: reading weights and cache once, and how much of the last step that explains."""
    moved = (result.get("weights_bytes") or 0) + (result.get("kv_live_bytes") or 0)
    if not gigabytes_per_s or not moved or not result.get("last_step_ms"):
        return ["", ""]
    least_ms = moved / gigabytes_per_s / 1e6
    return [number(least_ms, 2), percent(least_ms / result["last_step_ms"])]


class Work:
    KEY, NAME, TITLE = "f", "work", "where the time of one step goes"
    NEEDS = "as e"
    WEIGHT, MOST_S, LEAST_S = 2, 120, 10

    @staticmethod
    def run(step, limit_s):
        options = ["--work"]
        sweeps = (embedded(options)[1:] if step.tiny else
                  [janus([1], options=options), infinity(options), janus([16], options=options)])
        run_sweeps(step, sweeps, [step.places.program, "device", "time"], judge, limit_s)

    @staticmethod
    def section(record, data):
        one, whole = [], []
        for name, result in results(record):
            work = result.get("work") or {}
            one.append([name, work.get("step", "")] + shares(work))
            whole.append([name] + shares(result.get("work_all_steps") or {}))
        if not one:
            return []
        kinds = list(KINDS)
        return (["Milliseconds of one step; in brackets their share of its wall time. Waiting is when the device "
                 "has nothing to do.", ""]
                + table(["point", "step", "wall"] + kinds, one)
                + ["The same of all steps together:", ""] + table(["point", "wall"] + kinds, whole))


def shares(work):
    wall = work.get("wall_ms")
    cells = [number(wall, 2)]
    for kind in KINDS:
        value = work.get(kind + "_ms")
        cells.append(f"{number(value, 2)} ({percent(value / wall)})" if wall and value is not None
                     else number(value, 2))
    return cells
