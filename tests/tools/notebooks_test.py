"""Runs every notebook as tools/run_notebooks does, and holds what came of them against what is committed.

usage: notebooks_test.py SOURCE_DIR BUILD_DIR
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(sys.argv[1])
# Not preceded by what makes it the middle of a relative path, an address or base64.
ABSOLUTE_PATH = re.compile(r"(?<![\w./+-])/\w[\w.-]*/")
BUILD = pathlib.Path(sys.argv[2])
TOOL = [sys.executable, "-B", str(SOURCE / "tools" / "run_notebooks")]
MOST_BYTES = 250_000


def run(*words, **environment):
    return subprocess.run([*TOOL, *words], env={**os.environ, "KVSCOPE_BUILD": str(BUILD), **environment},
                          capture_output=True, text=True, check=False)


def code_cells(path):
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


def kinds(cells):
    """What every cell shows: text, tables, figures. The numbers may differ in the last digit elsewhere."""
    return [[(output["output_type"], output.get("name"), sorted(output.get("data", {}))) for output in cell["outputs"]]
            for cell in cells]


notebooks = sorted((SOURCE / "notebooks").glob("*.ipynb"))
assert len(notebooks) >= 5
for path in notebooks:
    committed = path.read_text(encoding="utf-8")
    assert len(committed) < MOST_BYTES, f"{path.name}: {len(committed)} bytes"
    for word in ("/tmp/", "/root/", "/home/", "Traceback"):
        assert word not in committed, f"{path.name}: has {word}"
    assert not ABSOLUTE_PATH.search(committed), f"{path.name}: has {ABSOLUTE_PATH.search(committed).group()}"
    cells = code_cells(path)
    assert "".join(cells[0]["source"]).startswith("!kvscope "), path.name
    assert sum("!kvscope " in "".join(cell["source"]) for cell in cells) == 1, path.name
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1)), f"{path.name}: not run in order"
    assert any("image/png" in output.get("data", {}) for cell in cells for output in cell["outputs"]), path.name

wrong = run("6_none")
assert wrong.returncode == 2 or "apt-get" in wrong.stderr, wrong.stderr
assert run("--updat").returncode == 2
before = subprocess.run(["git", "-C", SOURCE, "status", "--porcelain"], capture_output=True, text=True, check=False).stdout
with tempfile.TemporaryDirectory() as folder:
    done = run("--into", folder)
    if done.returncode == 3 and "apt-get install" in done.stderr:
        print(f"skipped: {done.stderr.strip()}")
        sys.exit(0)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(notebooks), done.stdout
    for path in notebooks:
        assert kinds(code_cells(pathlib.Path(folder) / path.name)) == kinds(code_cells(path)), \
            f"{path.name}: shows other things than the committed one; tools/run_notebooks --update"
after = subprocess.run(["git", "-C", SOURCE, "status", "--porcelain"], capture_output=True, text=True, check=False).stdout
assert before == after, after
print("passed")
