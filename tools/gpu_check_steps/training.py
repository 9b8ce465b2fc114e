"""g. Training of the embedded model in the minutes that are left; its last checkpoint is kept."""

import math
import re
import statistics

from gpu_check_steps.markdown import number, table
from gpu_check_steps.step import FAILED, PASSED, STOPPED

KEY, NAME, TITLE = "g", "training", "training from the shipped weights in the time left"
NEEDS = "the program and its models"
WEIGHT, MOST_S, LEAST_S = 2, float("inf"), 15

PROGRESS = re.compile(r"(\w+) (\d+)/(\d+)\s+loss (\S+)\s+([\d.]+) images/s")
MODEL = "shapes_next_scale"
CHECKPOINT = ("model.safetensors", "transformer_state.safetensors")
GRACE_SHARE, GRACE_MOST_S = 0.25, 20  # for the step at work to end and the checkpoint to be saved


def run(step, limit_s):
    folder = step.folder / "training"
    command = [step.places.program, "train", f"model={MODEL}", f"device={step.device}",
               f"train.start_from={(step.places.root / 'models' / MODEL).absolute()}", f"train.folder={folder}"]
    command += (["train.transformer.steps=2", "train.transformer.batch=2"] if step.tiny else
                ["train.save_every_steps=500"])
    seen = []

    def see(_, line):
        found = PROGRESS.search(line)
        if found:
            seen.append({"step": int(found[2]), "of": int(found[3]), "loss": float_of(found[4]),
                         "images_per_s": float(found[5])})

    try:
        outcome = step.run(command, limit_s=limit_s, on_line=see,
                           grace_s=min(GRACE_MOST_S, GRACE_SHARE * limit_s))
    except OSError as error:
        step.add(MODEL, FAILED, f"cannot start {command[0]}: {error.strerror}")
        return
    saved = {name: (folder / name).stat().st_size for name in CHECKPOINT if (folder / name).is_file()}
    step.add(MODEL, *judge(outcome, seen, saved), seen and {
        "progress": seen, "checkpoint": "training" if saved else None, "checkpoint_bytes": saved,
        "images_per_s": statistics.median(entry["images_per_s"] for entry in seen)})


def float_of(text):
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def judge(outcome, seen, saved):
    if outcome.ended_by == "interrupted":
        return STOPPED, "interrupted"
    # At its limit it is asked to end and does so with 130.
    fine = outcome.exit_status == 0 or (outcome.ended_by == "limit" and outcome.exit_status == 130)
    if not fine and outcome.ended_by == "limit" and not seen:
        return STOPPED, f"no progress in {outcome.seconds:.0f} s"
    if not fine:
        return FAILED, outcome.reason()
    if any(entry["loss"] is None for entry in seen):
        return FAILED, "the loss is no number"
    if not seen:
        return STOPPED, f"no step was finished in {outcome.seconds:.0f} s"
    missing = [name for name in CHECKPOINT if name not in saved]
    return (FAILED, f"no {missing[0]} was saved") if missing else (PASSED, None)


def section(record, data):
    rows = []
    for item in record["items"]:
        progress = (item["result"] or {}).get("progress")
        if progress:
            rows.append([item["name"], progress[-1]["step"], number(item["result"]["images_per_s"], 1),
                         number(progress[0]["loss"], 4), number(progress[-1]["loss"], 4),
                         f"`{item['result']['checkpoint']}/`"])
    return table(["model", "steps", "images/s, median", "loss at first", "loss at last", "checkpoint"],
                 rows) if rows else []
