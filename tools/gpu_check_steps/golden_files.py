"""Recorded runs that `kvscope verify` can recompute, and the files that each needs beside it.

As a program: golden_files.py FROM TO BYTES copies them, the smallest first, while compressed they fit into
BYTES, and prints a line for each that did not.
"""

import json
import pathlib
import shutil
import struct
import sys
import zlib

LONGEST_HEADER = 10_000_000


def metadata_of(path):
    """Metadata of a safetensors file; empty where it is none."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > LONGEST_HEADER:
                return {}
            header = json.loads(file.read(length))
    except (OSError, ValueError, RecursionError, struct.error):
        return {}
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    return metadata if isinstance(metadata, dict) else {}


def tokenizer_of(path):
    """The model file or tokenizer folder that a file of tokenizer cases needs; None where it is no such."""
    try:
        cases = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(cases, dict) or "cases" not in cases:
        return None
    for key in ("model", "tokenizer"):
        if isinstance(cases.get(key), str):
            return path.parent / cases[key]
    if {"eos", "pad", "unk"} <= set(cases):
        found = list(path.parent.glob("*.model"))
    elif "bos" in cases:
        found = [file.parent for file in path.parent.glob("*/tokenizer.json")]
    else:
        return None
    return found[0] if len(found) == 1 else None


def verifiable(folder):
    """[(path, [what it needs])] below `folder`, by name."""
    found = []
    for path in sorted(folder.rglob("*.safetensors")):
        metadata = metadata_of(path)
        if "kind" in metadata:
            lender = metadata.get("weights_from")
            found.append((path, [path.parent / lender] if lender else []))
    for path in sorted(folder.glob("*_cases.json")):
        tokenizer = tokenizer_of(path)
        if tokenizer is not None and tokenizer.exists():
            found.append((path, [tokenizer]))
    return found


def files_in(path):
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]


def packed_bytes(path):
    """What a file adds to a compressed archive, its header and padding included."""
    return len(zlib.compress(path.read_bytes())) + 1024


def copy_while_fitting(source, target, most_bytes):
    """Names of what did not fit."""
    left_out, used, copied = [], 0, set()
    for path, needs in sorted(verifiable(source), key=lambda entry: entry[0].stat().st_size):
        new = [file for need in [path] + needs for file in files_in(need) if file not in copied]
        bytes_needed = sum(packed_bytes(file) for file in new)
        if used + bytes_needed > most_bytes:
            left_out.append(f"{path.relative_to(source)} ({path.stat().st_size / 1e6:.1f} MB)")
            continue
        for file in new:
            place = target / file.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
        copied.update(new)
        used += bytes_needed
    return left_out


if __name__ == "__main__":
    for name in copy_while_fitting(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])):
        print(name)
