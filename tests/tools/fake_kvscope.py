#!/usr/bin/env python3
"""Stands for kvscope, and under the name kvscope_kernels_tests for that, in the tests of tools/gpu_check.

KVSCOPE_FAKE names a JSON file {"verify": "hang", ...}: what goes wrong in which command. Faults that strike
once strike at the second result.
"""

import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

TESTS = ["Attention.OddSizes", "Sizes/ColumnSum.MassIsKept/0", "Sizes/ColumnSum.MassIsKept/1", "Quantise.Rows"]
NO_DRIVER = "device=cuda: no usable GPU here: CUDA driver version is insufficient (CUDA error 35)."
BROKEN = "device=cuda: cannot load /somewhere/lib/libkvscope_cuda.so: file too short. Build kvscope again."
FAULT = "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be reported later"
INFO = {"device": "cuda:0", "name": "Fake GPU", "memory_bytes": 2 ** 36, "free_bytes": 2 ** 35, "driver": "13.0",
        "cuda_runtime": "13.0", "libtorch": "2.11.0", "kvscope": "0.1.0", "capability": "9.0",
        "multiprocessors": 132, "copy_gigabytes_per_s": 2000.0, "bf16_gemm_tflop_per_s": 600.0,
        "fp32_gemm_tflop_per_s": None}
faults = json.loads(pathlib.Path(os.environ["KVSCOPE_FAKE"]).read_text())


def put(result):
    print(json.dumps(result), flush=True)


def fail(text, status):
    print(f"error: {text}", file=sys.stderr)
    sys.exit(status)


def strike_at_once(fault):
    if fault == "no_driver":
        fail(NO_DRIVER, 3)
    if fault == "broken_plugin":
        fail(BROKEN, 3)
    if fault == "refused":
        fail("policy=x: no such policy", 2)
    if fault == "hang":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        time.sleep(1000)
    if fault == "hang_with_child":
        child = subprocess.Popen(["sleep", "1000"])
        pathlib.Path(os.environ["KVSCOPE_FAKE"]).with_name("child").write_text(str(child.pid))
        time.sleep(1000)


def strike_at(fault, index):
    if index != 1:
        return
    if fault == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if fault == "hang_later":
        time.sleep(1000)


def verify(files, fault):
    lost = False
    for index, file in enumerate(files):
        strike_at(fault, index)
        group = {"group": "logits", "compared": True, "ok": True, "largest_difference": 1e-6, "tolerance": 1e-4,
                 "note": ""}
        if fault == "wrong" and index == 1:
            group.update(ok=False, largest_difference=0.5)
        # The file is at fault wherever it stands; the process is lost behind it.
        lost = lost or fault == "cuda_fault" and "2" in pathlib.Path(file).name
        put({"file": file, "ok": not lost and group["ok"], "seconds": 0.1, "groups": [] if lost else [group],
             "error": FAULT if lost else None})
    sys.exit(0)


def points(words):
    overrides = dict(word.split("=", 1) for word in words if "=" in word)
    for policy, batch in itertools.product(overrides["policy"].split(","), overrides["gen.batch"].split(",")):
        yield f"{overrides['model']}, {policy}, batch {batch}", policy, batch


def agree(words, fault):
    for index, (name, _, _) in enumerate(points(words)):
        strike_at(fault, index)
        put({"point": name, "images": 8, "images_equal": 8, "tokens_equal_share": 1.0,
             "first_difference_step": None, "kept_equal": True, "kv_live_bytes": 1000,
             "kv_live_planned_bytes": 1000, "kv_peak_bytes": 2000, "kv_peak_planned_bytes": 2000,
             "arena_bytes": 3000, "arena_planned_bytes": 3000, "device_peak_bytes": 40000,
             "weights_bytes": 30000, "seconds_reference": 1.5, "seconds": 0.5, "ok": True, "reason": None})
    sys.exit(0)


def measure(words, fault):
    failed = False
    for index, (name, policy, batch) in enumerate(points(words)):
        strike_at(fault, index)
        if fault == "no_driver_lines":
            put({"point": name, "error": NO_DRIVER})
            continue
        if fault == "out_of_memory" and (batch == "16" or policy == "scalekv"):
            put({"point": name, "error": "CUDA out of memory. Tried to allocate 20.00 GiB\nSee documentation"})
            failed = True
            continue
        kinds = {"wall_ms": 10.0, "linear_ms": 4.0, "attention_ms": 3.0, "decision_ms": 1.0, "copies_ms": 0.5,
                 "sampling_ms": 0.5, "other_ms": 0.5, "waiting_ms": 0.5}
        work = {"work": {"step": 3, **kinds}, "work_all_steps": kinds} if "--work" in words else {}
        put({"point": name, "model": "m", "policy": policy, "budget": "20 %", "batch": int(batch), "steps": 9,
             "median_step_ms": 10.0, "first_step_ms": 11.0, "last_step_ms": 12.0, "steps_ms": [10.0] * 9,
             "attention_ms": 30.0, "policy_ms": 5.0, "text_ms": 1.0, "decode_ms": 2.0, "total_ms": 100.0,
             "images_per_s": 10.0, "kv_live_bytes": 10 ** 9, "kv_peak_bytes": 2 * 10 ** 9,
             "kv_peak_planned_bytes": 2 * 10 ** 9, "weights_bytes": 3 * 10 ** 9, "device_peak_bytes": None, **work})
    sys.exit(3 if fault == "no_driver_lines" else 1 if failed else 0)


def train(words, fault):
    stop = []
    signal.signal(signal.SIGINT, lambda *_: stop.append(1))
    overrides = dict(word.split("=", 1) for word in words if "=" in word)
    steps = int(overrides.get("train.transformer.steps", 12000))
    folder = pathlib.Path(overrides["train.folder"])
    folder.mkdir(exist_ok=True)
    step = 0
    while step < steps and not stop:
        time.sleep(0.05)
        step += 1
        loss = "nan" if fault == "nan" else "0.12345"
        print(f"[info] transformer {step}/{steps}  loss {loss}  123.4 images/s  4 min left", file=sys.stderr,
              flush=True)
    for name in ("model.safetensors", "transformer_state.safetensors"):
        (folder / name).write_bytes(b"weights")
    sys.exit(130 if step < steps else 0)


def kernel_tests(words, fault):
    if "--gtest_list_tests" in words:
        suite = None
        for test in TESTS:
            if test.split(".")[0] != suite:
                suite = test.split(".")[0]
                print(suite + ".")
            print("  " + test.split(".")[1] + "  # GetParam() = 3")
        print("  DISABLED_Later")
        sys.exit(0)
    strike_at_once(fault)
    chosen = next((word.split("=")[1].split(":") for word in words if word.startswith("--gtest_filter=")), TESTS)
    lost = False
    for index, test in enumerate(test for test in TESTS if test in chosen):
        print(f"[ RUN      ] {test}", flush=True)
        strike_at(fault, index)
        lost = lost or fault == "cuda_fault" and test.endswith("/0")
        if lost:
            print('unknown file: Failure\nC++ exception with description "' + FAULT + '" thrown in the test body.')
            print(f"[  FAILED  ] {test}, where GetParam() = 3 (1 ms)", flush=True)
        else:
            print(f"[       OK ] {test} (2 ms)", flush=True)
    if lost:
        print(" 1 FAILED TEST")
        print("[  FAILED  ] Sizes/ColumnSum.MassIsKept/0, where GetParam() = 3")
    sys.exit(1 if lost else 0)


def main(words):
    if os.path.basename(sys.argv[0]) == "kvscope_kernels_tests":
        kernel_tests(words, faults.get("kernels"))
    if words == ["--version"]:
        print("kvscope 0.1.0")
        return
    command = words[1] if words[0] == "device" else words[0]
    fault = faults.get("work" if "--work" in words else command)
    strike_at_once(fault)
    if command == "info":
        put(INFO)
    elif command == "verify":
        verify([word for word in words[1:] if word.endswith(".safetensors")], fault)
    elif command == "agree":
        agree(words, fault)
    elif command == "time":
        measure(words, fault)
    elif command == "train":
        train(words, fault)


main(sys.argv[1:])
