"""report.md: what report.json says, for a person."""

from gpu_check_steps import card, steps
from gpu_check_steps.markdown import mebibytes, number, table

VERDICTS = ("failed", "stopped", "skipped", "passed")
LONGEST_NOTE = 100


def header(data, info, plain):
    machine = data["machine"]
    memory = f", {mebibytes(info['memory_bytes'])} MiB" if info.get("memory_bytes") else ""
    capability = f", compute capability {info['capability']}" if info.get("capability") else ""
    processors = f", {info['multiprocessors']} multiprocessors" if info.get("multiprocessors") else ""
    driver = (f"driver {info['driver']}, CUDA runtime {info['cuda_runtime']}, "
              if info.get("driver") or info.get("cuda_runtime") else "")
    return [
        "- device: " + (f"{info['name']}{memory}{capability}{processors}" if info.get("name") else
                        f"{data['device']}, not reached"),
        f"- versions: {driver}LibTorch {info.get('libtorch') or 'unknown'}, {data['revision']}, "
        f"Python {machine['python']}, {machine['system']}",
        f"- host: {machine['processor']}, {machine['cores']} cores",
        f"- begun {data['began']}, {data['seconds']:.0f} s of the {data['limit_seconds']:.0f} s given",
        f"- command: `{plain(data['command'])}`",
        f"- folder: `{data['output']}`",
        ""]


def wrong(data, plain):
    """What is not as it should be, in plain words; failures first."""
    lines = []
    for verdict in ("failed", "stopped"):
        for step in data["steps"]:
            items = [item for item in step["items"] if item["verdict"] == verdict]
            if not items and step["verdict"] == verdict:
                lines.append(f"- **{step['key']}. {step['title']}** {verdict}: {plain(step['reason'] or '')}")
            by_reason = {}
            for item in items:
                by_reason.setdefault(item["reason"], []).append(item["name"])
            for reason, names in by_reason.items():
                shown = "; ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
                lines.append(f"- **{step['key']}. {step['title']}** ({shown}) {verdict}: {plain(reason or '')}")
    return lines


def note(text):
    """What is longer stands whole among what is wrong."""
    return text if len(text) <= LONGEST_NOTE else text[:LONGEST_NOTE].rsplit(" ", 1)[0] + " ..."


def heading(data):
    if not data["finished"]:
        return "# GPU check: still running, or ended from outside"
    count = {verdict: sum(step["verdict"] == verdict for step in data["steps"]) for verdict in VERDICTS}
    parts = [f"{count[verdict]} {verdict}" for verdict in VERDICTS if count[verdict]]
    return f"# GPU check: of {len(data['steps'])} steps " + ", ".join(parts)


def page(data, plain):
    lines = [heading(data), ""] + header(data, card.info_of(data), plain)
    faults = wrong(data, plain)
    if faults:
        lines += ["## What is wrong", ""] + faults + [""]
    lines += ["## Steps", ""]
    lines += table(["step", "what", "verdict", "seconds", "limit, s", "note"], [
        [step["key"], step["title"], step["verdict"], number(step["seconds"], 1),
         number(step["limit_seconds"], 0), note(plain(step["reason"] or ""))] for step in data["steps"]])
    for step in data["steps"]:
        body = steps.BY_KEY[step["key"]].section(step, data)
        if body:
            lines += [f"## {step['key']}. {step['title'][0].upper()}{step['title'][1:]}", ""] + body
    lines.append("Everything measured, with what each program said: `report.json`, `logs/`.")
    return "\n".join(lines) + "\n"
