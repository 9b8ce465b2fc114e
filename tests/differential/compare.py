#!/usr/bin/env python3
"""Compares `kvscope config` with Hydra on random words, trees and sweeps.

usage: compare.py PROGRAM words|trees|sweeps SEED COUNT [--show N] [--freeze FILE KEEP]

PROGRAM is kvscope. Prints what differs and does not stand in ALLOWED, and counts of everything; exit code 1 if anything differs.
--freeze writes KEEP of the cases that agree, with Hydra's answers, as JSON lines (tests/golden/hydra_differential).
Needs the packages of requirements.txt; see README.md.
"""

import argparse
import collections
import json
import os
import random
import re
import subprocess
import sys
import tempfile

import oracle
import sweeps
import trees
import words


def without_wording(value):
    """Messages are each program's own, and the clock goes on."""
    if isinstance(value, dict):
        return {key: without_wording(item) for key, item in value.items()
                if not key.endswith("_error") and key not in ("missing_keys", "hydra", "error")}
    if isinstance(value, list):
        return [without_wording(item) for item in value]
    if isinstance(value, str):
        return re.sub(r"\d{4}-\d\d-\d\d/\d\d-\d\d-\d\d", "NOW", value)
    return value


def same(ours, hydras):
    if ours.get("error", {}).get("stage") != hydras.get("error", {}).get("stage"):
        return False
    return json.dumps(without_wording(ours)) == json.dumps(without_wording(hydras))


def message(answer):
    return answer.get("error", {}).get("message", "")


def floats(items):
    return any(isinstance(item, float) for item in items)


def difference(request, ours, hydras):
    """The kind of a difference that docs/composition.md lists; empty where it is none of them."""
    text, theirs = message(ours), message(hydras)
    if text and theirs:
        return "stage"  # refused by both, by one earlier than by the other
    if "range(..): " in text:
        return "range that cannot be enumerated"
    if "glob(..) needs a config group" in text and not theirs:
        return "glob of no group"
    if "unknown keyword" in text:
        return "keyword in a defaults list"
    if "kvscope does not know what" in text or "unknown resolver" in text:
        return "Hydra's own node"
    if "a sweep inside" in text or "takes a pattern" in text or "plain values" in text:
        return "sweep inside a sweep"
    if "nested deeper" in text or "nested too deep" in text:
        return "depth"
    if "hydra.sweeper.params" in str(request) + theirs and theirs and not text:
        return "hydra.sweeper.params on the command line, or null in them"
    if "'NoneType' object has no attribute" in theirs:
        return "internal error of Hydra"
    if "unknown key 'hydra." in text:
        return "key of Hydra's own node"
    if not text and not theirs and "range" in str(request):
        return "range of floats, or a sorted one, as in Hydra 1.4"
    if "shuffle" in str(request) and not text and not theirs:
        return "shuffle"
    if ("is no integer" in text or "is no number" in text) and not text.isascii():
        return "digits of other scripts"
    if ("strings" in json.dumps(hydras) or "value_as_str" in json.dumps(hydras)) and "glob" in str(request) and not text and not theirs:
        return "glob inside a value"
    return ""


def requests_of(kind, seed, count, folder):
    if kind == "words":
        return words.requests(random.Random(seed), count)
    return {"trees": trees, "sweeps": sweeps}[kind].requests(random.Random(seed), count, folder)


def files_of(folder):
    files = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with open(path, encoding="utf-8") as text:
                files[os.path.relpath(path, folder)] = text.read()
    return files


def frozen(request, hydras):
    case = {"kind": next(iter(request)), "request": request[next(iter(request))], "expect": without_wording(hydras)}
    if "error" in hydras:
        case["expect"]["error"] = {"stage": hydras["error"]["stage"]}
    if case["kind"] != "parse":
        folder = os.path.dirname(case["request"]["config_dir"])
        case["request"] = dict(case["request"], config_dir="conf", cwd="")
        case["files"] = files_of(folder)
    return json.dumps(case, ensure_ascii=False, separators=(",", ":"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("kind", choices=["words", "trees", "sweeps"])
    parser.add_argument("seed", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("--show", type=int, default=20)
    parser.add_argument("--freeze", nargs=2, metavar=("FILE", "KEEP"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        requests = list(requests_of(options.kind, options.seed, options.count, folder))
        ran = subprocess.run(options.program.split() + ["config", "batch"], capture_output=True, text=True, check=False,
                             input="".join(json.dumps(request) + "\n" for request in requests))
        answers = [json.loads(line) for line in ran.stdout.splitlines()]
        if len(answers) != len(requests):
            print(f"the program ended at request {len(answers)}: {requests[len(answers)]}\n{ran.stderr}")
            return 1
        counts, wrong, kept = collections.Counter(), 0, []
        for request, ours in zip(requests, answers):
            hydras = oracle.answer(request)
            if same(ours, hydras):
                counts["the same, refused" if "error" in hydras else "the same"] += 1
                kept.append((request, hydras))
                continue
            kind = difference(request, ours, hydras)
            counts["allowed: " + kind if kind else "DIFFERENT"] += 1
            if kind:
                continue
            wrong += 1
            if wrong <= options.show:
                print(json.dumps(request, ensure_ascii=False))
                for name, answer in (("kvscope", ours), ("Hydra", hydras)):
                    shown = message(answer) or json.dumps(without_wording(answer), ensure_ascii=False)
                    print(f"  {name}: {shown[:600]}")
        if options.freeze:
            keep = int(options.freeze[1])
            accepted = [case for case in kept if "error" not in case[1]]
            refused = [case for case in kept if "error" in case[1]]
            chosen = accepted[: keep * 3 // 4] + refused[: keep - min(len(accepted), keep * 3 // 4)]
            with open(options.freeze[0], "a", encoding="utf-8") as out:
                for request, hydras in chosen:
                    out.write(frozen(request, hydras) + "\n")
    for kind, count in sorted(counts.items()):
        print(f"{count:6d} {kind}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
