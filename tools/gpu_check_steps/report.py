"""report.json and report.md, replaced as a whole whenever something is finished."""

import json
import os
import shutil
import sys

from gpu_check_steps import page

OWN = {"report.json", "report.md", "report.json.part", "report.md.part", "logs", "training"}


class ReportError(Exception):
    """The folder cannot be used."""


class Report:
    """`data` is report.json; whoever changes it calls save()."""

    def __init__(self, folder, data, plain):
        self.folder, self.data, self._plain = folder, data, plain
        self._complained = False
        self.written = True

    def prepare(self):
        """Makes the folder, empty but for a report that is to be; ReportError where that cannot be."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            names = sorted(path.name for path in self.folder.iterdir())
            foreign = [name for name in names if name not in OWN or "report.json" not in names]
            if foreign:
                raise ReportError(f"{self.folder} holds other things than an earlier report "
                                  f"({foreign[0]}): name another folder with --output")
            for path in self.folder.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
            (self.folder / "logs").mkdir()
        except OSError as error:
            raise ReportError(f"cannot write into {self.folder}: {error.strerror}") from error
        self.save()
        if not self.written:
            raise ReportError(f"cannot write into {self.folder}")

    def save(self):
        """A full disk is said once, and does not stop the check: the console still tells."""
        try:
            text = json.dumps(self.data, indent=1, ensure_ascii=False)
            self._replace("report.json", text + "\n")
            self._replace("report.md", page.page(self.data, self._plain))
            self.written = True
        except OSError as error:
            self.written = False
            if not self._complained:
                print(f"gpu_check: cannot write the report: {error.strerror}", file=sys.stderr, flush=True)
            self._complained = True

    def _replace(self, name, text):
        part = self.folder / (name + ".part")
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.folder / name)
