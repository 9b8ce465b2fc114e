"""`kvscope config` answers as Hydra does: the shared corpus, and cases that differential testing found.

usage: config_composition_test.py SOURCE_DIR BUILD_DIR
"""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(sys.argv[1])
PROGRAM = pathlib.Path(sys.argv[2]) / "experiments" / "kvscope"
CORPUS = SOURCE / "tests" / "golden" / "hydra"
FROZEN = SOURCE / "tests" / "golden" / "hydra_differential" / "cases.jsonl"


def answers_to(requests):
    """One process for all requests; environments are given with each."""
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    ran = subprocess.run([PROGRAM, "config", "batch"], input=lines, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(answers) == len(requests), (len(answers), ran.stderr)
    return answers


def text_of(value):
    """Keeps 1 and 1.0 apart and the order of keys; wording and the clock do not count."""
    def plain(part):
        if isinstance(part, dict):
            return {key: plain(item) for key, item in part.items() if not key.endswith("_error")}
        if isinstance(part, list):
            return [plain(item) for item in part]
        return re.sub(r"\d{4}-\d\d-\d\d/\d\d-\d\d-\d\d", "NOW", part) if isinstance(part, str) else part
    return json.dumps(plain(value))


def accepted(case):
    """Hydra 1.3's answer and, where it differs, that of 1.4."""
    yield case["expect"]
    if "expect_1_4" in case:
        newer = dict(case["expect"])
        if "error" not in case["expect_1_4"]:
            newer.pop("error", None)
        yield {**newer, **case["expect_1_4"]}


def parses(answer, expected):
    if "error" in answer or "error" in expected:
        return ("error" in answer) == ("error" in expected)
    keys = ["type", "key", "package", "key_element", "value_type", "value", "value_as_str", "quoted", "sweep"]
    return text_of([answer.get(key) for key in keys]) == text_of([expected.get(key) for key in keys])


def composes(answer, expected):
    if "error" in answer or "error" in expected:
        return answer.get("error", {}).get("stage") == expected.get("error", {}).get("stage")
    same = all(text_of(answer[key]) == text_of(expected[key]) for key in ("cfg", "cfg_unresolved"))
    return same and answer["choices"] == expected["choices"] and answer["missing_keys"] == expected.get("missing_keys", [])


def expands(answer, expected):
    if "error" in answer or "error" in expected:
        return ("error" in answer) == ("error" in expected)
    same = answer["jobs"] == expected["jobs"] and answer["hydra_overrides"] == expected["hydra_overrides"]
    return same and answer.get("batches") == expected.get("batches", answer.get("batches"))


def corpus():
    for case in json.loads((CORPUS / "grammar.json").read_text(encoding="utf-8"))["cases"]:
        yield {"parse": case["input"]}, parses, case
    for case in json.loads((CORPUS / "cases.json").read_text(encoding="utf-8"))["cases"]:
        request = {"config_dir": str(CORPUS / case["conf"]), "config_name": case["config_name"], "overrides": case["overrides"],
                   "env": case.get("env", {}), "cwd": str(CORPUS / case.get("cwd", ""))}
        yield {"compose": request}, composes, case
    for case in json.loads((CORPUS / "sweeps.json").read_text(encoding="utf-8"))["cases"]:
        overrides = list(case["overrides"])
        if "sweeper_params" in case:
            params = ",".join(f"{key}:'{value}'" for key, value in case["sweeper_params"].items())
            overrides.append(f"hydra.sweeper.params={{{params}}}")
        if case.get("max_batch_size"):
            overrides.append(f"hydra.sweeper.max_batch_size={case['max_batch_size']}")
        added = set(overrides) - set(case["overrides"])
        for answer in (case["expect"], case.get("expect_1_4", {})):
            if "hydra_overrides" in answer:
                answer["hydra_overrides"] += [word for word in overrides if word in added]
        request = {"config_dir": str(CORPUS / case["conf"]), "config_name": case["config_name"], "overrides": overrides, "env": {}}
        yield {"expand": request}, expands, case


def check_corpus():
    cases = list(corpus())
    counts, failed = collections.Counter(), 0
    for (request, agrees, case), answer in zip(cases, answers_to([request for request, _, _ in cases])):
        counts[next(iter(request))] += 1
        if not any(agrees(answer, expected) for expected in accepted(case)):
            failed += 1
            print(f"{request}\n  {json.dumps(answer)[:500]}\n  {json.dumps(case['expect'])[:500]}")
    print("corpus:", ", ".join(f"{count} {kind}" for kind, count in counts.items()), f"cases, {failed} differ")
    assert counts == {"parse": 258, "compose": 194, "expand": 59}, counts
    return failed


def check_frozen(folder):
    cases = [json.loads(line) for line in FROZEN.read_text(encoding="utf-8").splitlines()]
    requests = []
    for number, case in enumerate(cases):
        request = case["request"]
        if "files" in case:
            place = pathlib.Path(folder) / str(number)
            for name, text in case["files"].items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_text(text, encoding="utf-8", newline="")
            request = dict(request, config_dir=str(place / "conf"), cwd=str(place))
        requests.append({case["kind"]: request})
    failed = 0
    for case, request, answer in zip(cases, requests, answers_to(requests)):
        got = {key: value for key, value in answer.items()
               if key not in ("missing_keys", "hydra") and not key.endswith("_error")}
        if "error" in got:
            got["error"] = {"stage": got["error"]["stage"]}
        keys = set(got) | set(case["expect"])
        if any(text_of(got.get(key)) != text_of(case["expect"].get(key)) for key in keys):
            failed += 1
            print(f"{request}\n  {json.dumps(answer)[:500]}\n  {json.dumps(case['expect'])[:500]}")
    print(f"frozen: {len(cases)} cases, {failed} differ")
    assert len(cases) >= 500, len(cases)
    return failed


def check_command_line():
    """The commands themselves: exit codes, what goes where, environment and working folder."""
    def run(*words, **more):
        return subprocess.run([PROGRAM, "config", *words], capture_output=True, text=True, check=False, **more)
    basics = str(CORPUS / "basics" / "conf")
    shown = run("compose", "-cd", basics, "-cn", "config", "gen.cfg=2.0", "--resolve")
    assert shown.returncode == 0 and "name: toy-full" in shown.stdout and "cfg: 2.0" in shown.stdout, shown
    answer = run("compose", "-cd", basics, "gen.imagse=3", "--json")
    error = json.loads(answer.stdout)["error"]
    assert answer.returncode == 2 and error["stage"] == "compose" and "gen.images" in error["message"], answer
    assert error["message"] in answer.stderr
    answer = run("compose", "-cd", basics, "a=[", "--json")
    assert answer.returncode == 2 and json.loads(answer.stdout)["error"]["override"] == "a=[", answer
    assert run("compose", "-cd", basics + "/nothing").returncode == 2
    jobs = run("expand", "-cd", basics, "seed=1,2", "gen.prompt='a b'")
    assert jobs.stdout == "seed=1 \"gen.prompt='a b'\"\nseed=2 \"gen.prompt='a b'\"\n", jobs
    word = run("parse", "a=range(1,stop=6,step=2)", "--json")
    assert json.loads(word.stdout)["sweep"]["first_items"] == [1, 3, 5], word
    resolve = run("compose", "-cd", str(CORPUS / "resolve" / "conf"), "+home=${oc.env:APP_HERE}", "--json", env={**os.environ, "APP_HERE": "x"})
    assert json.loads(resolve.stdout).get("cfg", {"home": "x"})["home"] == "x", resolve


def main():
    with tempfile.TemporaryDirectory() as folder:
        failed = check_corpus() + check_frozen(folder)
    check_command_line()
    sys.exit(1 if failed else 0)


main()
