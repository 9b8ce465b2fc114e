#!/usr/bin/env python3
"""From codes to pixels: what the decoder of a published image tokenizer takes, in PyTorch, on random weights.

  pixels.py vq                 VQ-16 of LlamaGen and Janus-Pro, 24 x 24 codes, 384 x 384 pixels
  pixels.py var                VAR's, 16 x 16 codes, 256 x 256 pixels
  pixels.py infinity           Infinity-2B's, 32 x 32 codes, 512 x 512 pixels

One call in a fresh process, as a command that makes one image has it: memory is touched for the first time, convolutions are
prepared. decoders.py has the networks and what they leave out.
"""

import torch

import common
import decoders

GRIDS = {"vq": 24, "var": 16, "infinity": 32}


def main():
    parser = common.parser(__doc__, GRIDS)
    parser.add_argument("--grid", type=int, help="codes of a side")
    options = parser.parse_args()
    idle_mib = common.begin(options)
    grid = options.grid or GRIDS[options.work]
    network = decoders.decoder(options.work).eval()
    codes = torch.randn(options.batch, decoders.CODE_CHANNELS[options.work], grid, grid)
    clock = common.Clock()
    image = network(codes)
    clock.lap()
    common.report(options, idle_mib, [], clock.parts_ms[0], pixels=f"{image.shape[2]} x {image.shape[3]}",
                  finite=bool(image.isfinite().all()))


if __name__ == "__main__":
    main()
