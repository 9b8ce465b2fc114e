#!/usr/bin/env python3
"""Makes ms_ssim.json beside this file: MS-SSIM of pairs of images as torchmetrics computes it.

    pip install torch torchmetrics && python3 ms_ssim.py

The images are formulas in whole numbers, so that only the values are kept; the test computes the
same images. kernel_size 11, sigma 1.5, data_range 255, k1 0.01, k2 0.03, normalize "relu", betas
0.0448 0.2856 0.3001 0.2363 0.1333 (the library's defaults but for the range), in float64.
"""
import json
from pathlib import Path

import torch
import torchmetrics
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

CASES = [  # height, width, strength of the difference
    (176, 176, 30),
    (176, 240, 120),
    (193, 177, 255),
    (256, 256, 8),
]


def image(height, width):
    y, x, c = torch.meshgrid(torch.arange(height), torch.arange(width), torch.arange(3),
                             indexing="ij")
    return (x * x * (c + 1) // 16 + 3 * y * x // 8 + 7 * y) % 256


def other(pixels, strength):
    height, width, channels = pixels.shape
    y, x, c = torch.meshgrid(torch.arange(height), torch.arange(width), torch.arange(channels),
                             indexing="ij")
    return (pixels + (x * 37 + y * 91 + c * 53) % (strength + 1) - strength // 2).clamp(0, 255)


def main():
    cases = []
    for height, width, strength in CASES:
        a = image(height, width)
        b = other(a, strength)
        tensors = [t.permute(2, 0, 1)[None].to(torch.float64) for t in (b, a)]
        value = multiscale_structural_similarity_index_measure(*tensors, data_range=255.0)
        cases.append({"height": height, "width": width, "strength": strength,
                      "ms_ssim": value.item()})
    Path(__file__).with_suffix(".json").write_text(json.dumps({
        "made_by": f"ms_ssim.py, torch {torch.__version__}, "
                   f"torchmetrics {torchmetrics.__version__}",
        "settings": "kernel_size 11, sigma 1.5, data_range 255, k1 0.01, k2 0.03, relu, "
                    "betas 0.0448 0.2856 0.3001 0.2363 0.1333, float64",
        "cases": cases}, indent=1) + "\n")


main()
