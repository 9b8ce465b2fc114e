"""What the kinds of ill-treatment share: starting the program, and saying what came of it."""

import hashlib
import os
import resource
import shutil
import signal
import subprocess

TINY_MODEL = ["model.weights=random", "model.tokenizer=null", "model.transformer.depth=2", "model.transformer.width=32",
              "model.transformer.heads=2", "model.transformer.feed_forward_width=64",
              "model.transformer.text_channels=128", "model.transformer.text_max_tokens=8",
              "model.transformer.code_bits=4", "model.picture.schedule=[[1,1],[2,2],[3,3],[4,4]]",
              "model.vae.base_channels=4", "model.vae.channel_multipliers=[1,1,1]", "model.vae.norm_groups=2",
              "model.text.d_model=128", "model.text.layers=1", "model.text.heads=2", "model.text.d_kv=8",
              "model.text.d_ff=16", "threads=1"]
SWEEP = ["policy=full,sliding_window,h2o", "budget.tokens=6", "gen.images=10", "gen.batch=2"]
TRAINING = ["train.autoencoder.steps=6", "train.transformer.steps=10", "train.save_every_steps=2",
            "train.autoencoder.batch=2", "train.transformer.batch=2", "model.transformer.depth=1",
            "model.transformer.width=48", "model.transformer.heads=2", "model.transformer.feed_forward_width=64",
            "model.vae.base_channels=4"]
LONGEST_SECONDS = 120


class Tally:
    """How often a kind was tried and what went wrong."""

    def __init__(self):
        self.tried = 0
        self.faults = []
        self.note = ""
        self.seconds = 0.0

    def count(self, fault=None):
        self.tried += 1
        if fault:
            self.faults.append(fault)

    def line(self):
        text = f"{self.tried} tried, {self.tried - len(self.faults)} survived, {len(self.faults)} faults in {self.seconds:.0f} s"
        return text + (f" ({self.note})" if self.note else "")


class Ended:
    """How a program ended."""

    def __init__(self, words, code, out, err):
        self.words, self.code, self.out, self.err = words, code, out, err

    def fault(self, allowed=(0,)):
        """What is wrong with it, or None: a signal, a time-out, an unknown exit code or one without a word."""
        told = f"{' '.join(self.words)}\nexit {self.code}\n{self.err[-2000:]}"
        if self.code is None:
            return "no end: " + told
        if self.code < 0:
            return f"ended by {signal.Signals(-self.code).name}: " + told
        if "AddressSanitizer" in self.err or "runtime error:" in self.err:
            return "sanitizer: " + told
        if self.code not in allowed:
            return f"expected exit {allowed}: " + told
        if self.code in (1, 2, 3) and not self.err.strip():
            return "not a word: " + told
        return None


class Bench:
    def __init__(self, source, build, work, choice, mutations):
        """`mutations` of every fuzz target at a time."""
        self.source, self.build, self.work, self.choice = source, build, work, choice
        self.mutations = mutations
        self.program = os.path.join(build, "experiments", "kvscope")
        self.environment = dict(os.environ, OMP_NUM_THREADS="1",
                                KVSCOPE_CONFIGS=os.path.join(source, "configs"))
        self.known = {}

    def folder(self, name):
        """A fresh folder."""
        path = os.path.join(self.work, name)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path

    def sweep(self, folder, *more):
        return ["run", "-m", *TINY_MODEL, *SWEEP, f"hydra.sweep.dir={folder}", *more]

    def record(self, out):
        return ["attention", "record", *TINY_MODEL, "policy=h2o", "budget.tokens=6", "gen.images=12", "gen.batch=2",
                "--out", out]

    def training(self, folder):
        return ["train", "model=shapes_next_scale", "threads=1", *TRAINING, f"train.folder={folder}"]

    def start(self, words, limits=(), environment=(), before=()):
        def prepare():
            os.setsid()
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            for which, amount in limits:
                resource.setrlimit(which, (amount, amount))
        return subprocess.Popen([*before, self.program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, cwd=self.work, preexec_fn=prepare,
                                env=dict(self.environment, **dict(environment)))

    def finish(self, words, process):
        try:
            out, err = process.communicate(timeout=LONGEST_SECONDS)
            code = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            code = None
        return Ended(words, code, out.decode(errors="replace"), err.decode(errors="replace"))

    def run(self, words, **more):
        return self.finish(words, self.start(words, **more))

    def once(self, name, make):
        """What an uninterrupted run comes to, made the first time it is asked for."""
        if name not in self.known:
            self.known[name] = make()
        return self.known[name]

    def whole_sweep(self):
        def make():
            folder = self.folder("whole_sweep")
            ended = self.run(self.sweep(folder))
            assert ended.fault() is None, ended.fault()
            return folder, results_of(folder)
        return self.once("sweep", make)

    def copy_of_whole(self, name):
        folder = os.path.join(self.work, name)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.whole_sweep()[0], folder)
        return folder

    def end_differs(self, folder, *more):
        """Runs the sweep in `folder` to its end; what is other than in an uninterrupted one, or None."""
        ended = self.run(self.sweep(folder, *more))
        fault = ended.fault()
        if fault:
            return fault
        found, expected = results_of(folder), self.whole_sweep()[1]
        if found == expected:
            return None
        differing = sorted(key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key))
        return f"other than uninterrupted: {differing[:6]}\n{ended.err[-1500:]}"


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def results_of(folder):
    """Digests of the images, and the cells of the table that depend on no clock."""
    found = {}
    for where, _, names in os.walk(os.path.join(folder, "points")):
        for name in names:
            if name.endswith(".png"):
                found[os.path.relpath(os.path.join(where, name), folder)] = digest(os.path.join(where, name))
    timed = ("time", "attention", "allocated")
    try:
        with open(os.path.join(folder, "report", "table.csv"), encoding="utf-8", newline="") as file:
            lines = [line.rstrip("\r\n").split(",") for line in file]
    except OSError:
        return found
    for line in lines[1:]:
        cells = [cell for head, cell in zip(lines[0], line) if not head.startswith(timed)]
        found["row " + " ".join(cells[:2])] = cells
    return found
