"""Kinds of ill-treatment by content: damaged and mutated files and words."""

import os
import shutil
import subprocess


def mutated(choice, content, words=()):
    """A few changes of the kinds that tests/fuzz makes."""
    content = bytearray(content)
    for _ in range(choice.randint(1, 4)):
        at = choice.randrange(len(content) + 1)
        what = choice.randrange(6)
        if what == 0:
            del content[at:]
        elif what == 1:
            other = choice.randrange(len(content) + 1)
            content[at:at] = content[other:other + choice.randrange(64)]
        elif what == 2:
            del content[at:at + choice.randrange(1, 64)]
        elif what == 3 and words:
            content[at:at] = choice.choice(words)
        elif content:
            at = min(at, len(content) - 1)
            content[at] = choice.choice([content[at] ^ 1 << choice.randrange(8), choice.randrange(256), 0, 255])
    return bytes(content)


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def damaged_results(bench, tally):
    """A file of a finished sweep is cut, changed, replaced by a folder or taken away: the rest is read, the sweep
    is made whole."""
    folder = bench.copy_of_whole("damaged")
    files = sorted(os.path.join(where, name) for where, _, names in os.walk(os.path.join(folder, "points"))
                   for name in names)
    files += [os.path.join(folder, name) for name in ("sweep.json", "manifest.json")]
    told = []
    for path in bench.choice.sample(files, 2):
        how = bench.choice.choice(["cut", "change", "change", "folder", "remove", "empty"])
        told.append(f"{os.path.relpath(path, folder)}: {how}")
        if how in ("cut", "empty"):
            os.truncate(path, bench.choice.randrange(os.path.getsize(path) + 1) if how == "cut" else 0)
        elif how == "change":
            _write(path, mutated(bench.choice, _read(path)))
        else:
            os.remove(path)
            if how == "folder":
                os.makedirs(os.path.join(path, "inside"))
    fault = bench.run(["table", folder]).fault((0, 3))
    fault = fault or bench.run(["report", folder]).fault((0, 3))
    fault = fault or bench.end_differs(folder)
    tally.count(f"{told}: {fault}" if fault else None)


def _parts(bench, tally):
    """A part of a point, which has no digest over the whole file."""
    folder = bench.copy_of_whole("parts")
    points = os.path.join(folder, "points")
    for name in os.listdir(points):
        finished = os.path.join(points, name, "result.h5")
        content = _read(finished)[512:]  # without its digest, as a part begins
        os.remove(finished)
        _write(finished + ".part", mutated(bench.choice, content))
    fault = bench.run(["table", folder]).fault((0, 3))
    tally.count(fault or bench.end_differs(folder))


def _mutation(name, originals, words, allowed=(0, 1, 2, 3)):
    """Mutates one of the files `originals(bench)` and hands it to the program as `words(bench, path)`."""
    def kind(bench, tally):
        original = bench.choice.choice(originals(bench))
        path = os.path.join(bench.folder("mutated"), os.path.basename(original))
        for _ in range(3):
            _write(path, mutated(bench.choice, _read(original)))
            fault = bench.run(words(bench, path)).fault(allowed)
            if fault:
                shutil.copy(path, os.path.join(bench.work, f"fault-{name.replace(' ', '-')}-{tally.tried}"))
            tally.count(fault)
    return kind


def _golden(*names):
    return lambda bench: [os.path.join(bench.source, "tests", "golden", name) for name in names]


def yaml(bench, tally):
    configs = os.path.join(bench.work, "configs")
    shutil.rmtree(configs, ignore_errors=True)
    shutil.copytree(os.path.join(bench.source, "configs"), configs)
    files = [os.path.join(configs, name) for name in
             ("config.yaml", "policy/snapkv.yaml", "gen/default.yaml", "budget/r10.yaml", "model/shapes_next_scale.yaml",
              "metrics/all.yaml", "prompts/shapes.yaml")]
    for _ in range(3):
        path = bench.choice.choice(files)
        original = _read(path)
        _write(path, mutated(bench.choice, original, (b": ", b"{", b"[", b"&a ", b"*a ", b"<<: ", b"\n- ", b"${", b"!!")))
        words = ["plan", "policy=snapkv", "budget=r10"]
        tally.count(bench.run(words, environment={"KVSCOPE_CONFIGS": configs}).fault((0, 2, 3)))
        _write(path, original)


OVERRIDES = ["policy=snapkv", "budget.ratio=0.1", "gen.cfg=[1,2,3]", "+gen.cuts=per_step", "~prompt", "budget.bytes=6KiB",
             "model.transformer.depth=2", "policy.score.window=8", "gen.images=range(1,9)", "prompt='a, b'",
             "policy=glob(*)", "gen.seed=${seed}", "metrics.list=[psnr,ssim]", "gen.batch=auto", "name=\"x y\""]


def overrides(bench, tally):
    for _ in range(3):
        words = [mutated(bench.choice, text.encode(), (b",", b"=", b"[", b"]", b"{", b"${", b"'", b"(", b"1e999", b"-1"))
                 .replace(b"\0", b"0").decode(errors="surrogateescape")
                 for text in bench.choice.sample(OVERRIDES, 3)]
        tally.count(bench.run(["plan", *(word for word in words if word)]).fault((0, 2, 3)))


def prompts(bench, tally):
    text = "a red circle\na blue square left of a green triangle\nä\u0000\U0001F600\n\n7\n".encode()
    path = os.path.join(bench.folder("prompts"), "prompts.txt")
    _write(path, mutated(bench.choice, text * 3))
    folder = bench.folder("of_prompts")
    words = bench.sweep(folder, "policy=full", "prompts=file", f"prompts.file={path}", "gen.images=null")
    fault = bench.run(words).fault((0, 1, 2, 3))
    tally.count(fault or bench.run(words).fault((0, 1, 2, 3)))


def images(bench, tally):
    folder = bench.copy_of_whole("images")
    for where, _, names in os.walk(os.path.join(folder, "points")):
        for name in names:
            if name.endswith(".png") and bench.choice.random() < 0.3:
                path = os.path.join(where, name)
                _write(path, mutated(bench.choice, _read(path)))
    fault = bench.run(["sheet", folder]).fault((0, 3)) or bench.run(["report", folder]).fault((0, 3))
    tally.count(fault or bench.end_differs(folder))


def earlier_results(bench, tally):
    """A result file of an earlier version, which has no check values."""
    folder = bench.folder("earlier")
    place = os.path.join(folder, "points", "0123456789ab")
    os.makedirs(place)
    original = _read(os.path.join(bench.source, "tests", "golden", "result_of_three_metrics.h5"))
    for _ in range(3):
        _write(os.path.join(place, "result.h5"), mutated(bench.choice, original))
        tally.count(bench.run(["table", folder]).fault((0, 3)))


def fuzz_targets(bench, tally):
    """The targets of tests/fuzz, from another seed than their tests'."""
    targets = os.path.join(bench.build, "tests", "fuzz")
    for name in sorted(os.listdir(os.path.join(bench.source, "tests", "fuzz", "corpus"))):
        program = os.path.join(targets, f"kvscope_replay_{name}")
        if not os.path.exists(program):
            tally.note = "not all fuzz targets are built"
            continue
        words = [program, os.path.join(bench.source, "tests", "fuzz", "corpus", name), str(bench.mutations),
                 str(bench.choice.randrange(1 << 31))]
        ended = subprocess.run(words, capture_output=True, cwd=bench.folder("fuzz"), env=bench.environment)
        tally.count(None if ended.returncode == 0 else f"{words}: exit {ended.returncode}\n{ended.stderr.decode()[-800:]}")


KINDS = {
    "damaged results": damaged_results,
    "mutated parts": _parts,
    "mutated earlier results": earlier_results,
    "mutated YAML": yaml,
    "mutated overrides": overrides,
    "mutated prompts": prompts,
    "mutated images": images,
    "mutated checkpoints": _mutation(
        "checkpoint", _golden("vq16_tiny.safetensors", "janus_tiny_pytorch_model.bin"),
        lambda bench, path: ["weights", "inspect", path]),
    "mutated tokenizers": _mutation(
        "tokenizer", _golden("bpe_tiny/tokenizer.json", "sp_unigram_tiny.model"),
        lambda bench, path: ["tokenize", path, os.path.join(bench.source, "README.md")]),
    "mutated profiles": _mutation(
        "profile", lambda bench: [os.path.join(bench.source, "configs/data/heads/shapes_next_token.yaml")],
        lambda bench, path: ["plan", "model=shapes_next_token", "policy=headkv", "budget.ratio=0.5",
                             f"policy.allocate.importance={path}"]),
    "mutated records": _mutation(
        "record", _golden("attention_v1/next_scale.h5", "attention_v1/next_token.h5", "attention_v2/next_scale.h5",
                          "attention_v2/next_token.h5"),
        lambda bench, path: ["attention", "show", path, bench.choice.choice(["mass.step", "mass.key", "mass.offset"])]),
    "fuzz targets": fuzz_targets,
}
