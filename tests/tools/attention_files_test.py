"""The lines of Python in docs/attention_files.md, run on a record that the program makes."""

import os
import re
import subprocess
import sys
import tempfile

source, build = sys.argv[1:]
try:
    import h5py
except ImportError:
    print("skipped: no h5py here (Debian: python3-h5py)")
    sys.exit(0)

with open(f"{source}/docs/attention_files.md", encoding="utf-8") as page:
    code = re.search(r"```python\n(.*?)```", page.read(), re.DOTALL).group(1)

with tempfile.TemporaryDirectory() as folder:
    subprocess.run([f"{build}/experiments/kvscope", "attention", "record", "model=shapes_next_scale", "gen.images=1",
                    "--raw", "1:2", "--out", "attention.h5"], cwd=folder, check=True)
    printed = subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, capture_output=True,
                             text=True).stdout
    for word in ("layer {'layer': array([0, 1", "head {'head'", "step_key {'step'", "'key'", "queries"):
        assert word in printed, f"no {word!r} in\n{printed}"
    with h5py.File(os.path.join(folder, "attention.h5")) as file:
        assert len(file["arrays"]) >= 7
        assert file["variances/mass.step"].shape == file["arrays/mass.step"].shape
        assert file["of_images/mass.step"].shape == (1, *file["arrays/mass.step"].shape)
        for name, array in file["arrays"].items():
            for size, axis in zip(array.shape, array.dims):
                assert axis.label and len(axis) > 0, name
                for scale in axis.values():
                    assert scale.shape == (size,) and scale.attrs["CLASS"] == b"DIMENSION_SCALE", (name, axis.label)
        mass = file["arrays/mass.step"][:]
        assert abs(mass.sum(axis=3) - 1).max() < 1e-4
print("passed")
