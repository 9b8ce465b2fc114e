"""What the reference programs share: options, clocks, sampling, and the line that they print.

A reference is what PyTorch and its public packages offer for the same work: the loop that the model's authors publish, on random
weights of the published sizes. Speed and memory do not depend on the values of weights, so no checkpoint is needed; what is drawn
is noise. Left out: reading files, text encoders, tokenizers, and writing the picture.
"""

import argparse
import json
import os
import resource
import statistics
import time

import torch


def parser(doc, works):
    """Options of every reference program; works: names that the first word may have."""
    result = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument("work", choices=sorted(works))
    result.add_argument("--type", choices=["float32", "bfloat16"], default="float32", help="of weights, activations and cache")
    result.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    result.add_argument("--batch", type=int, default=1, help="images at once")
    return result


def begin(options):
    """Sets threads, seed and the type in which modules are made. Returns MiB that the imported libraries hold before that."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    torch.set_default_dtype(getattr(torch, options.type))
    torch.set_grad_enabled(False)
    return peak_mib()


def peak_mib():
    """The most memory that this process has held, its libraries included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Clock:
    """Milliseconds of one part after another."""

    def __init__(self):
        self.parts_ms = []
        self._start = time.perf_counter()

    def lap(self):
        now = time.perf_counter()
        self.parts_ms.append((now - self._start) * 1000)
        self._start = now


def report(options, idle_mib, steps_ms, pixels_ms, **more):
    """One JSON line. seconds: all steps of the batch, without its pixels; step_ms: the median step but the first, which fills the
    cache; idle_mib: what the imported libraries held before the model was made."""
    line = {"work": options.work, "type": options.type, "batch": options.batch,
            "seconds": round(sum(steps_ms) / 1000, 4) if steps_ms else round(pixels_ms / 1000, 4),
            "step_ms": round(statistics.median(steps_ms[1:] or steps_ms), 3) if steps_ms else None,
            "first_step_ms": round(steps_ms[0], 3) if steps_ms else None,
            "pixels_ms": round(pixels_ms, 2), "peak_mib": round(peak_mib(), 1), "idle_mib": round(idle_mib, 1),
            "torch": torch.__version__, "threads": torch.get_num_threads(), **more}
    print(json.dumps(line))


def sample(logits, top_k=0, top_p=1.0):
    """One class of each row of logits [..., classes], as the published samplers draw: top k, top p, softmax, multinomial."""
    classes = logits.shape[-1]
    if top_k > 0:
        least = logits.topk(min(top_k, classes), dim=-1)[0][..., -1:]
        logits = logits.masked_fill(logits < least, float("-inf"))
    if 0 < top_p < 1:
        ordered, order = logits.sort(dim=-1, descending=False)
        drop = ordered.softmax(dim=-1).cumsum(dim=-1) <= 1 - top_p
        drop[..., -1:] = False
        logits = logits.masked_fill(drop.scatter(-1, order, drop), float("-inf"))
    drawn = torch.multinomial(logits.softmax(dim=-1).view(-1, classes), num_samples=1)
    return drawn.view(logits.shape[:-1])
