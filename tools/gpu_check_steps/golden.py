"""c. Every recorded run of the reference implementations, recomputed on the device."""

from gpu_check_steps.golden_files import verifiable
from gpu_check_steps.markdown import number, table
from gpu_check_steps.series import Item, work_off
from gpu_check_steps.step import FAILED, PASSED, SKIPPED

KEY, NAME, TITLE = "c", "golden", "verify of every recorded run"
NEEDS = "recorded runs (golden/ of a bundle, tests/golden of a checkout)"
WEIGHT, MOST_S, LEAST_S = 2, 150, 5

MOST_TINY = 2_000_000  # bytes; larger files tell the tests of this program nothing more


def run(step, limit_s):
    folder = step.places.golden
    files = [path for path, _ in verifiable(folder)]
    if step.tiny:
        files = [path for path in files if path.stat().st_size < MOST_TINY]
    if not files:
        step.add("recorded runs", SKIPPED, f"none in {folder}")
        return
    items = [Item(str(path.relative_to(folder)), [path])
             for path in sorted(files, key=lambda path: path.stat().st_size)]
    command = [step.places.program, "verify", "--device", step.device, "--json"]
    work_off(step, items,
             lambda left: (command + [word for item in left for word in item.arguments], len(left)),
             judge, limit_s=limit_s)


def judge(result):
    if result.get("error"):
        return FAILED, str(result["error"])
    wrong = [group for group in result.get("groups", []) if not group.get("ok")]
    if not wrong and result.get("ok"):
        return PASSED, None
    if not wrong:
        return FAILED, "not ok, without a reason"
    text = "; ".join(f"{group['group']}: largest difference {number(group['largest_difference'])}, "
                     f"tolerance {tolerance_of(group)}" for group in wrong[:3])
    return FAILED, text if len(wrong) <= 3 else f"{text}; and {len(wrong) - 3} groups more"


def tolerance_of(group):
    return "exact" if group.get("tolerance") == 0 else number(group.get("tolerance"))


def nearest_to_limit(groups):
    """The compared group that uses most of its tolerance."""
    toleranced = [group for group in groups if group.get("compared") and group.get("tolerance")
                  and group.get("largest_difference") is not None]
    return max(toleranced, key=lambda group: group["largest_difference"] / group["tolerance"], default=None)


def section(record, data):
    rows = []
    for item in record["items"]:
        if not item["result"]:
            continue
        groups = item["result"].get("groups", [])
        near = nearest_to_limit(groups)
        rows.append([item["name"], item["verdict"],
                     f"{sum(bool(group.get('compared')) for group in groups)} of {len(groups)}",
                     near["group"] if near else "", number(near["largest_difference"]) if near else "",
                     number(near["tolerance"]) if near else "", f"{item['seconds']:.1f}"])
    return table(["recorded run", "verdict", "groups compared", "nearest to its tolerance",
                  "largest difference", "tolerance", "seconds"], rows) if rows else []
