#!/usr/bin/env python3
"""What the machine can do at best, as PyTorch reaches it: reading memory, and multiplying matrices in fp32 and bf16.

  machine.py                   one JSON line: GB/s read, GFLOP/s of either type

Reading is the sum of a tensor of 512 MiB, and a matrix of that size times a vector; the faster of them counts. A product of
matrices of side 2048 stands for arithmetic. The best of several tries counts, so that a bound is a bound. Left out: writing,
caches, and other shapes of matrices.
"""

import argparse
import json
import os
import time

import torch


def best_s(work, tries):
    """Seconds of the fastest of so many calls, after one that counts for nothing."""
    work()
    times = []
    for _ in range(tries):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--mib", type=int, default=512, help="of the tensor that is read")
    parser.add_argument("--side", type=int, default=2048, help="of the matrices")
    parser.add_argument("--tries", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    table = torch.ones(options.mib * 2 ** 20 // 4 // 4096, 4096)
    vector = torch.ones(4096)
    gigabytes = table.numel() * 4 / 1e9
    line = {"work": "machine", "torch": torch.__version__, "threads": torch.get_num_threads(),
            "sum_gb_per_s": gigabytes / best_s(table.sum, options.tries),
            "matrix_vector_gb_per_s": gigabytes / best_s(lambda: table.mv(vector), options.tries)}
    line["read_gb_per_s"] = max(line["sum_gb_per_s"], line["matrix_vector_gb_per_s"])
    del table
    for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        a, b = (torch.randn(options.side, options.side).to(kind) for _ in range(2))
        line[f"{name}_gflop_per_s"] = 2 * options.side ** 3 / 1e9 / best_s(lambda a=a, b=b: a @ b, options.tries)
    print(json.dumps({key: round(value, 2) if isinstance(value, float) else value for key, value in line.items()}))


if __name__ == "__main__":
    main()
