"""Every console command of README.md and docs/*.md, run as printed in a clean folder: it succeeds, and the checkout stays as it is.

usage: documents_test.py SOURCE_DIR BUILD_DIR [K/N]    the pages that remain K when their number is divided by N

What cannot run here as printed stands in INSTEAD, with what runs in its place or the reason why nothing does.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(sys.argv[1])
BUILD = pathlib.Path(sys.argv[2])
PART, PARTS = (int(number) for number in (sys.argv[3] if len(sys.argv) > 3 else "0/1").split("/"))
PAGES = [SOURCE / "README.md", *sorted((SOURCE / "docs").glob("*.md"))][PART::PARTS]

# What a command begins with -> what runs instead, or None and why nothing does.
INSTEAD = [
    (r"\./(quickstart|run_tests)", None, "sets a machine up; what it calls is run by the other tests"),
    (r"tools/(setup|bundle)", None, "tools.setup, tools.bundle"),
    (r"cmake --install|kvscope-build-policy", None, "tools.install"),
    (r"LIBTORCH_ROOT=\S+ bundle/gpu_check", None, "tools.gpu_check"),
    (r"kvscope train (.*)", r"timeout --preserve-status -s INT 20 kvscope train \1 train.folder=$PWD/train || [ $? = 130 ]", "takes hours"),
    (r".*launcher=slurm", None, "needs a Slurm: campaign.launchers"),
    (r".*\[ssh,", None, "needs other machines"),
    (r"(.*) gen\.images=100 gen\.batch=20(.*)", r"\1 gen.images=2 gen.batch=2\2", "takes long"),
]


def commands_of(page):
    """(line, command) of every console block: a line, lines that go on behind a backslash, or a whole loop."""
    text = page.read_text(encoding="utf-8")
    for block in re.finditer(r"^ *```console\n(.*?)^ *```", text, re.S | re.M):
        first = text.count("\n", 0, block.start(1)) + 1
        collected, begin, depth = "", first, 0
        for number, line in enumerate(block[1].split("\n"), first):
            line = re.sub(r"(^|\s)#.*", "", line).rstrip()
            if not line.strip() and not collected:
                continue
            if not collected:
                begin = number
            depth += len(re.findall(r"\b(?:do)\s*$", line)) - len(re.findall(r"^\s*done\b", line))
            collected += line + "\n"
            if depth == 0 and not line.endswith("\\"):
                yield begin, collected.strip()
                collected = ""


def chosen(command):
    """What runs for a command, and a remark; nothing runs for None."""
    for pattern, instead, why in INSTEAD:
        if re.search(pattern, command):
            return (None if instead is None else re.sub(pattern, instead, command)), why
    return command, ""


def state_of_checkout():
    answer = subprocess.run(["git", "-C", SOURCE, "status", "--porcelain"], capture_output=True, text=True, check=False)
    return answer.stdout if answer.returncode == 0 else "no git"


def make_folder(folder):
    for name in ("tests", "docs", "tools", "models", "configs"):
        (folder / name).symlink_to(SOURCE / name)
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    (bin_folder / "kvscope").symlink_to(BUILD / "experiments/kvscope")
    (folder / "prompts.txt").write_text("a red circle\na blue square left of a green circle\n", encoding="utf-8")
    (folder / "mine.csv").write_text("\n".join(",".join(["0.5"] * 6) for _ in range(6)) + "\n", encoding="utf-8")


def main():
    before = state_of_checkout()
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "KVSCOPE_BUILD": str(BUILD)}
    ran, failed = 0, []
    for page in PAGES:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="kvscope_documents_"))
        make_folder(folder)
        environment["PATH"] = f"{folder / 'bin'}:{os.environ['PATH']}"
        for line, printed in commands_of(page):
            where = f"{page.relative_to(SOURCE)}:{line}"
            command, why = chosen(printed)
            if command is None:
                print(f"{where}: not run ({why}): {printed}")
                continue
            ran += 1
            answer = subprocess.run(["bash", "-eu", "-c", command], cwd=folder, env=environment, capture_output=True,
                                    text=True, stdin=subprocess.DEVNULL, timeout=300, check=False)
            if answer.returncode != 0:
                failed.append(where)
                print(f"FAILED: {where}: exit {answer.returncode}: {command}\n{answer.stdout[-500:]}{answer.stderr[-2000:]}")
        shutil.rmtree(folder)
    after = state_of_checkout()
    if after != before:
        failed.append("the checkout")
        print(f"FAILED: the commands left something in the checkout:\n{after}")
    if ran < 30 // PARTS:
        failed.append("the reader of pages")
        print(f"FAILED: only {ran} commands found")
    print(f"{ran} commands run, {len(failed)} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
