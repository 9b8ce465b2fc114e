"""Does what docs/extending.md says: takes each source and registry line out of the page, compiles them with the flags of
the build, links them in front of its libraries, and looks whether the program knows the new names. Nothing in the
checkout or the build is changed.

usage: extending_test.py SOURCE_DIR BUILD_DIR
"""

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

SOURCE, BUILD = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
PAGE = (SOURCE / "docs/extending.md").read_text(encoding="utf-8")
# The source that reads a registry, which is compiled again with the new line.
READERS = {"analysis/metrics/metrics.def": "analysis/metrics/registry.cpp",
           "analysis/attention/statistics.def": "analysis/attention/statistic_registry.cpp",
           "experiments/launch/launchers.def": "experiments/launch/launcher.cpp",
           "core/models/families.def": "core/models/model_family.cpp"}
MOST_FILES_OF_A_FAMILY = 6


def fail(text):
    print(f"FAILED: {text}", file=sys.stderr)
    sys.exit(1)


def examples():
    sources = re.findall(r"^`([\w/]+\.cpp)`:\n\n```cpp\n(.*?)```", PAGE, re.M | re.S)
    lines = re.findall(r"^One line in `([\w/]+\.def)`:\n\n```cpp\n(.*?)```", PAGE, re.M | re.S)
    if len(sources) != len(READERS) or {path for path, _ in lines} != set(READERS):
        fail(f"the page has {len(sources)} sources and lines for {sorted(path for path, _ in lines)}")
    return sources, lines


def family_config():
    """The YAML of the example family, by its path below configs; the family's list of files is short and names it."""
    (path, text), = re.findall(r"^`configs/([\w/]+\.yaml)`:\n\n```yaml\n(.*?)```", PAGE, re.M | re.S)
    table = PAGE[PAGE.index("### A Llama-type decoder"):PAGE.index("`core/models/plain_llama/plain_llama.cpp`:")]
    files = re.findall(r"^\| `([\w/.]+)` \|", table, re.M)
    if len(files) > MOST_FILES_OF_A_FAMILY or f"configs/{path}" not in files or "core/models/families.def" not in files:
        fail(f"a Llama-type family takes {files}; expected at most {MOST_FILES_OF_A_FAMILY} files")
    return path, text


def command_of(file):
    for entry in json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8")):
        if entry["file"] == str(SOURCE / file):
            return entry
    return fail(f"{file} is not compiled by this build")


def compile_like(model, source, overlay, output):
    """`source` with the flags of `model`; headers and registries of `overlay` come first."""
    entry = command_of(model)
    words = shlex.split(entry["command"])
    at, out = words.index(str(SOURCE / model)), words.index("-o")
    words[at], words[out + 1] = str(source), str(output)
    words.insert(at - 1, f"-I{overlay}")
    # The precompiled header was made for other include paths.
    words = re.sub(r" -include \S*cmake_pch\.hxx| -Winvalid-pch| -fpch-preprocess", "", shlex.join(words))
    include = words.index(" -I")
    words = f"{words[:include]} -I{overlay}{words[include:]}"
    subprocess.run(words, shell=True, check=True, cwd=entry["directory"])


def main():
    sources, lines = examples()
    with tempfile.TemporaryDirectory() as folder:
        overlay, objects = pathlib.Path(folder) / "sources", []
        for path, line in lines:
            (overlay / path).parent.mkdir(parents=True, exist_ok=True)
            (overlay / path).write_text((SOURCE / path).read_text(encoding="utf-8") + line, encoding="utf-8")
            reader = overlay / READERS[path]
            reader.write_text((SOURCE / READERS[path]).read_text(encoding="utf-8"), encoding="utf-8")
            objects.append(pathlib.Path(folder) / f"{reader.parent.name}_registry.o")
            compile_like(READERS[path], reader, overlay, objects[-1])
        for path, text in sources:
            source = overlay / path
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_text(text, encoding="utf-8")
            if len(text.split("\n")) > 100:
                fail(f"{path} is no small source")
            objects.append(pathlib.Path(folder) / f"{source.stem}.o")
            model = next(reader for registry, reader in READERS.items()
                         if pathlib.PurePath(path).is_relative_to(pathlib.PurePath(registry).parent))
            compile_like(model, source, overlay, objects[-1])
        program = pathlib.Path(folder) / "kvscope"
        link = subprocess.run(["ninja", "-C", str(BUILD), "-t", "commands", "-s", "experiments/kvscope"],
                              check=True, capture_output=True, text=True).stdout.strip().split("\n")[-1]
        link = link.replace("-o experiments/kvscope", f"-o {program}", 1)
        at = link.index("experiments/CMakeFiles/kvscope.dir/main.cpp.o")
        link = link[:at] + " ".join(map(str, objects)) + " " + link[at:]
        subprocess.run(link, shell=True, check=True, cwd=BUILD)
        environment = dict(os.environ, KVSCOPE_CONFIGS=str(SOURCE / "configs"))

        def said(*words):
            done = subprocess.run([str(program), *words], capture_output=True, text=True, env=environment, check=False)
            return done.stdout + done.stderr

        if "mass.first_key" not in said("attention", "list"):
            fail("attention list does not know mass.first_key")
        if "mean_level" not in said("run", "metrics.list=[no_such_metric]"):
            fail("the refusal of an unknown metric does not know mean_level")
        if "the last point first" not in said("list", "launchers"):
            fail("list launchers does not know reversed")
        path, text = family_config()
        config = pathlib.Path(folder) / "configs" / path
        config.parent.mkdir(parents=True)
        config.write_text(text, encoding="utf-8")
        image = pathlib.Path(folder) / "image.png"
        answer = said("generate", "--config-dir", str(config.parent.parent), f"model={config.stem}", "prompt=7", "-o",
                      str(image))
        if not image.exists():
            fail(f"the model of the example makes no image: {answer}")
    print("docs/extending.md does what it says")


if __name__ == "__main__":
    main()
