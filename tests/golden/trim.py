#!/usr/bin/env python3
"""Makes the trimmed golden files of this folder from the full ones: trim.py FULL_FOLDER

What is dropped follows from what stays, and `kvscope verify` says of every optional group that a
file lacks that it is "not in the file". The full files remain valid input. Rules, all lossless:

drop     tensors to leave out
images   only the first n images of these tensors; of caches the rows of those images
tokens   only the first n tokens of these tensors [images, tokens, ...]
rows     only the first n rows: of the unconditional text no more than a prompt has tokens is read,
         of resized pictures the first lines are compared
lines    only the first n lines of these pictures [images, 3, lines, width]
depth    only the first n layers of the model (the deepest cache that stays is that of layer n - 1)
f16, i16 stored narrower; refused where a value would change
weights  metadata "weights_from": the weights are those of that file, compared byte by byte here
"""
import json
import re
import struct
import sys
from pathlib import Path

RULES = {
    # The last layer's K and V are computed from those of all layers before it.
    "infinity_tiny": {
        "drop": [r"cache\.[kv]\.[012]"],
        "images": {r"cache\..*": 1},
        "rows": {r"model\.cfg_uncond": 16},
    },
    "infinity_tiny_patchify": {
        "drop": [r"cache\.k\.[012]", r"cache\.v\..*"],
        "rows": {r"model\.cfg_uncond": 16},
    },
    "scalekv_tiny_2b": {
        "drop": [r"cache\.k\.[012]", r"logits\.([6-9]|10|11)"],
        "i16": [r"kept\..*"],
        "weights": "infinity_tiny",
    },
    "var_tiny": {
        # The logits of every scale are computed from the keys of all scales before it.
        "drop": [r"cache\.k\..*", r"vae\.quant_conv\..*", r"model\.lvl_1L"],
        "images": {r"image": 1},
        "lines": {r"image": 64},
        "tokens": {r"logits\..*": 1},
    },
    # Head, logits and sampling are those of var_tiny; here the adaLN differs.
    "var_tiny_shared_aln": {
        "drop": [r"cache\.k\.[02]", r"logits\..*", r"model\.head.*", r"model\.lvl_1L"],
        "depth": 2,
        "f16": [r"vae\..*"],
    },
    # Pictures of 256 x 256 and most lines of the resized ones are left out; every convention stays.
    "metrics_images": {
        # Double precision takes long: of VGG16 not at all, of Inception one picture a convention.
        "drop": [
            r"pair\.[78]\..*",
            r"fid\.(c_same|d_close)\..*",
            r"lpips\.vgg_(layers_)?f64",
        ],
        "rows": {r"resize\..*": 48, r"inception\..*_f64": 1},
    },
    # Later blocks are computed from those before them, features from the last ones.
    "clip_tiny": {
        "drop": [
            r"out\.open_clip\.visual\..*",
            r"out\.openai\.visual\.(after_ln_pre|block\.0)",
            r"out\..*\.text\.block\.0",
        ],
    },
}


def matches(patterns, name):
    return any(re.fullmatch(pattern, name) for pattern in patterns)


def read(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__")
    body = data[8 + length :]
    tensors = {
        name: (entry["dtype"], entry["shape"], body[slice(*entry["data_offsets"])])
        for name, entry in header.items()
    }
    return metadata, tensors


def size_of(dtype):
    return {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "I16": 2, "U8": 1}[dtype]


def write(path, metadata, tensors):
    # Wider elements first, so that all are aligned.
    names = sorted(tensors, key=lambda name: -size_of(tensors[name][0]))
    header = {"__metadata__": metadata}
    begin = 0
    for name in names:
        dtype, shape, data = tensors[name]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, begin + len(data)]}
        begin += len(data)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    body = b"".join(tensors[name][2] for name in names)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def rows(tensor, wanted):
    dtype, shape, data = tensor
    row = len(data) // shape[0]
    kept = b"".join(data[r * row : (r + 1) * row] for r in wanted)
    return dtype, [len(wanted)] + shape[1:], kept


def first_images(tensor, images, batch):
    count = tensor[1][0]
    wanted = list(range(images))
    if count == 2 * batch:  # conditional rows, then unconditional ones
        wanted += list(range(batch, batch + images))
    return rows(tensor, wanted)


def first_entries(tensor, axis, entries):
    dtype, shape, data = tensor
    outer = 1
    for size in shape[:axis]:
        outer *= size
    entry = len(data) // (outer * shape[axis])
    count = min(entries, shape[axis])
    starts = [i * shape[axis] * entry for i in range(outer)]
    kept = b"".join(data[start : start + count * entry] for start in starts)
    return dtype, shape[:axis] + [count] + shape[axis + 1 :], kept


def narrower(tensor, name, to):
    dtype, shape, data = tensor
    codes = {"F32": "f", "I32": "i", "I64": "q", "F16": "e", "I16": "h"}
    values = struct.unpack(f"<{len(data) // size_of(dtype)}{codes[dtype]}", data)
    narrow = struct.pack(f"<{len(values)}{codes[to]}", *values)
    if struct.unpack(f"<{len(values)}{codes[to]}", narrow) != values:
        sys.exit(f"{name}: {to} would change a value")
    return to, shape, narrow


def trim(name, full_folder, out_folder):
    rule = RULES[name]
    metadata, tensors = read(full_folder / f"{name}.safetensors")
    batch = int(metadata.get("batch", 0))
    if "weights" in rule:
        lender = read(full_folder / f"{rule['weights']}.safetensors")[1]
        for weight in [n for n in tensors if n.startswith("model.")]:
            if lender.get(weight) != tensors.pop(weight):
                sys.exit(f"{name}: {weight} differs from that of {rule['weights']}")
        metadata["weights_from"] = f"{rule['weights']}.safetensors"
    drop = list(rule["drop"])
    if "depth" in rule:
        later = range(rule["depth"], int(metadata["depth"]))
        drop += [rf"model\.blocks\.{layer}\..*" for layer in later]
        metadata["depth"] = str(rule["depth"])
    kept = {}
    for tensor_name, tensor in tensors.items():
        if matches(drop, tensor_name):
            continue
        for pattern, images in rule.get("images", {}).items():
            if re.fullmatch(pattern, tensor_name):
                tensor = first_images(tensor, images, batch)
        for key, axis in (("rows", 0), ("tokens", 1), ("lines", 2)):
            for pattern, entries in rule.get(key, {}).items():
                if re.fullmatch(pattern, tensor_name):
                    tensor = first_entries(tensor, axis, entries)
        for to in ("f16", "i16"):
            if matches(rule.get(to, []), tensor_name):
                tensor = narrower(tensor, tensor_name, to.upper())
        kept[tensor_name] = tensor
    metadata["trimmed"] = "by trim.py, see there"
    path = out_folder / f"{name}.safetensors"
    write(path, metadata, kept)
    full = (full_folder / f"{name}.safetensors").stat().st_size
    print(f"{name}: {full} -> {path.stat().st_size} bytes")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for name in RULES:
        trim(name, Path(sys.argv[1]), Path(__file__).parent)


if __name__ == "__main__":
    main()
