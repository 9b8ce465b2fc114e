"""d. The embedded models on the device against the CPU: tokens, kept counts, bytes against the plan."""

from gpu_check_steps.markdown import mebibytes, number, percent, table
from gpu_check_steps.points import Sweep, run_sweeps
from gpu_check_steps.step import FAILED, PASSED

KEY, NAME, TITLE = "d", "agreement", "embedded models: images, kept tokens and bytes"
NEEDS = "the program and its models"
WEIGHT, MOST_S, LEAST_S = 3, 180, 10

POLICIES = ["full", "snapkv", "scalekv", "h2o", "streaming_llm"]


def run(step, limit_s):
    images = 2 if step.tiny else 8
    policies = ["full", "h2o"] if step.tiny else POLICIES
    sweeps = [Sweep(model, [f"model={model}", "budget.ratio=0.2", f"gen.images={images}",
                            f"gen.batch={images}"], [("policy", policies)])
              for model in ("shapes_next_scale", "shapes_next_token")]
    run_sweeps(step, sweeps, [step.places.program, "device", "agree"], judge, limit_s)


def judge(result):
    if result.get("error"):
        return FAILED, str(result["error"])
    if result.get("ok"):
        return PASSED, None
    return FAILED, str(result.get("reason") or "not ok, without a reason")


def section(record, data):
    agreement, memory = [], []
    for item in record["items"]:
        result = item["result"]
        if not result or result.get("error"):
            continue
        first = result.get("first_difference_step")
        agreement.append([item["name"], item["verdict"],
                          f"{result.get('images_equal', '')} of {result.get('images', '')}",
                          percent(result.get("tokens_equal_share")), "" if first is None else first,
                          "yes" if result.get("kept_equal") else "no",
                          number(result.get("seconds_reference"), 1), number(result.get("seconds"), 1)])
        plan = (result.get("weights_bytes") or 0) + (result.get("arena_planned_bytes") or 0)
        peak = result.get("device_peak_bytes")
        memory.append([item["name"]] + [mebibytes(result.get(key)) for key in (
            "kv_live_bytes", "kv_live_planned_bytes", "kv_peak_bytes", "kv_peak_planned_bytes",
            "arena_bytes", "arena_planned_bytes", "weights_bytes", "device_peak_bytes")]
            + [percent(peak / plan) if peak and plan else ""])
    if not agreement:
        return []
    return (table(["point", "verdict", "images equal", "tokens equal", "first step that differs",
                   "kept tokens equal", "CPU, s", "device, s"], agreement)
            + ["Bytes in MiB, in brackets what the plan says. The last column compares the device's peak with weights "
               "and planned arena; what is above 100 % are activations and buffers of the libraries.", ""]
            + table(["point", "KV live", "(plan)", "KV peak", "(plan)", "arena", "(plan)", "weights",
                     "device peak", "of the plan"], memory))
