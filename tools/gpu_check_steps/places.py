"""Where the program, the kernels' tests and the recorded runs lie: in a bundle, or in a checkout."""

import importlib.util
import os
import pathlib
import re
import subprocess


class Places:
    def __init__(self, script_folder, build=None, golden=None):
        script_folder = pathlib.Path(script_folder)
        self.bundle = build is None and (script_folder / "bundle.txt").is_file()
        self.root = script_folder if self.bundle else script_folder.parent
        if self.bundle:
            self.program = self.root / "kvscope"
            self.kernel_tests = self.root / "kvscope_kernels_tests"
            self.golden = self.root / "golden"
        else:
            build = pathlib.Path(build).absolute() if build else self.root / "build"
            self.program = build / "experiments" / "kvscope"
            self.kernel_tests = build / "tests" / "kvscope_kernels_tests"
            self.golden = self.root / "tests" / "golden"
        if golden:
            self.golden = pathlib.Path(golden).absolute()

    def missing_program(self):
        """Why nothing can run, or None. A bundle is unpacked where it is not yet."""
        if self.bundle:
            unpacked = subprocess.run([str(self.root / "unpack")], stdin=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, check=False)
            if unpacked.returncode != 0:
                return unpacked.stderr.decode("utf-8", "replace").strip().splitlines()[-1].replace("error: ", "", 1)
        if os.access(self.program, os.X_OK):
            return None
        remedy = ("make the bundle again" if self.bundle else
                  "build it (tools/setup), or name the build with --build")
        return f"no program at {self.program}: {remedy}"

    def revision(self):
        """What the checkout or the bundle says of itself."""
        if self.bundle:
            return (self.root / "bundle.txt").read_text().splitlines()[0]
        try:
            described = subprocess.run(["git", "-C", str(self.root), "describe", "--always", "--dirty"],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=10,
                                       check=True)
            return "kvscope " + described.stdout.decode().strip()
        except (OSError, subprocess.SubprocessError):
            return "kvscope of unknown revision"

    def environment(self):
        """For the programs: a bundle's launchers use the PyTorch of the Python that runs this."""
        environment = dict(os.environ)
        if self.bundle and not environment.get("LIBTORCH_ROOT"):
            found = importlib.util.find_spec("torch")
            if found is not None and found.origin:
                environment["LIBTORCH_ROOT"] = os.path.dirname(found.origin)
        return environment

    def plain(self, text):
        """`text` with names of files in place of this machine's paths."""
        text = text.replace(str(self.root) + os.sep, "")
        return re.sub(r"(?<![\w./])/(?:[\w.+@-]+/)+([\w.+@-]+)", r"\1", text)
