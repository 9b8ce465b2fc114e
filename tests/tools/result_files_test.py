"""The lines of Python in docs/files.md, run on a sweep that the program makes: they give the table's cells."""

import csv
import os
import re
import subprocess
import sys
import tempfile

source, build = sys.argv[1:]
try:
    import h5py
    import pandas
except ImportError as missing:
    print(f"skipped: no {missing.name} here (Debian: python3-h5py, python3-pandas)")
    sys.exit(0)

with open(f"{source}/docs/files.md", encoding="utf-8") as page:
    text = page.read()
code = re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)
assert len(code.strip().splitlines()) <= 5

with tempfile.TemporaryDirectory() as folder:
    # A single policy first: its pairs are measured late.
    for policies in ("snapkv", "full,snapkv"):
        subprocess.run([f"{build}/experiments/kvscope", "run", "-m", f"policy={policies}", "budget.ratio=0.2,0.1",
                        "gen.images=3", "name=NAME"], cwd=folder, check=True, capture_output=True)
    printed = subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, capture_output=True, text=True).stdout
    with open(os.path.join(folder, "multirun/NAME/report/table.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    ssim = next(key for key in rows[0] if key.startswith("SSIM") and "95" not in key and "half" not in key)
    peak = next(key for key in rows[0] if key.startswith("KV peak"))
    found = {}
    for line in printed.splitlines()[1:]:
        words = line.split()
        found[(words[0], " ".join(words[1:-2]))] = (float(words[-2]), float(words[-1]))
    assert len(rows) == len(found) == 3, printed
    for row in rows:
        budget = row["budget"].replace("\u202f", " ")
        mine = [value for (policy, label), value in found.items() if policy == row["policy"] and label == budget]
        assert len(mine) == 1, (row, found)
        if row["policy"] != "full":
            assert abs(mine[0][0] - float(row[ssim])) < 1e-5, (row, mine)
        assert abs(mine[0][1] - float(row[peak])) < 1e-5, (row, mine)
    places = set(re.findall(r"`((?:axes|prompts|timing|memory|tokens|metrics|provenance)/[a-z0-9_]+)`", text))
    result = [os.path.join(where, name) for where, _, names in os.walk(folder) for name in names if name == "result.h5"]
    with h5py.File(result[0]) as file:
        for place in places:
            assert place in file, f"docs/files.md names {place}, which is not there"
        for group in ("axes", "prompts", "timing", "memory", "tokens"):
            for name in file[group]:
                assert name in text, f"docs/files.md does not name {group}/{name}"
        for name in file.attrs:
            assert name in ("finished", "rows", "steps", "token_bytes", "prompt_bytes") or f"@{name}" in text, name
print("passed")
