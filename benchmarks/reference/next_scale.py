#!/usr/bin/env python3
"""VAR and Infinity in PyTorch: the published loop over scales, on random weights.

  next_scale.py var_d16        16 layers, 10 scales, 680 tokens, 256 x 256 pixels
  next_scale.py infinity_2b --layers 2 --pixels 0.25M      2 of 32 layers, 10 scales, 2521 tokens, 512 x 512
  next_scale.py infinity_2b --type bfloat16 --batch 2

Every image has two rows, with its condition and without. A scale's tokens pass every layer at once: adaptive layer norm, q, k
and v from one product, k and v appended to the cache by torch.cat, scaled_dot_product_attention over all of it with unit vectors
and learned scales, projection, and an MLP of four times the width with gelu(tanh). Infinity also turns q and k by 2-D positions,
and attends to the text. Codes or bits are drawn by top k and top p, summed at full size, and shrunk to the next scale. Behind the
last scale the image is decoded, as the published programs do (decoders.py).

What an adaptive norm makes of the condition, and keys and values of the text, are computed anew for every scale: as published.
Left out: text encoders, padding of texts, the published kernels for a GPU, and mixed precision.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

import common
import decoders

VAR_SIDES = [1, 2, 3, 4, 5, 6, 8, 10, 13, 16]
INFINITY_SIDES = [1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64]
PIXELS = {"0.06M": 7, "0.25M": 10, "0.60M": 12, "1M": 13}  # so many of Infinity's scales
SIZES = {
    "var_d16": {"layers": 16, "heads": 16, "width": 1024, "channels": 32, "outputs": 4096, "top_p": 0.96, "guidance": 1.5},
    "infinity_2b": {"layers": 32, "heads": 16, "width": 2048, "channels": 32, "outputs": 64, "top_p": 0.97, "guidance": 3.0},
}
TEXT_CHANNELS, CLASSES, TOP_K = 2048, 1000, 900


def norm(x):
    return F.layer_norm(x, x.shape[-1:], eps=1e-6)


class Block(nn.Module):
    def __init__(self, width, heads, text):
        super().__init__()
        self.heads = heads
        self.qkv, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.scale = nn.Parameter(torch.full((1, heads, 1, 1), math.log(4.0)))
        self.cache = []
        if text:
            self.adaptive = nn.Parameter(torch.randn(1, 1, 6, width) / width ** 0.5)
            self.text_norm = nn.LayerNorm(width, eps=1e-6)
            self.text_q, self.text_kv = nn.Linear(width, width), nn.Linear(width, 2 * width)
            self.text_out = nn.Linear(width, width)
        else:
            self.adaptive = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))

    def by_head(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def attention(self, x, turn):
        q, k, v = (self.by_head(part) for part in self.qkv(x).chunk(3, dim=-1))
        q = F.normalize(q, dim=-1) * self.scale.clamp_max(math.log(100)).exp()
        k = F.normalize(k, dim=-1)
        if turn is not None:
            q, k = turned(torch.stack((q, k)), turn).unbind(0)
        self.cache = [k, v] if not self.cache else [torch.cat(pair, dim=2) for pair in zip(self.cache, (k, v))]
        out = F.scaled_dot_product_attention(q, *self.cache, scale=1.0)
        return self.projection(out.transpose(1, 2).flatten(2))

    def text_attention(self, x, text):
        q = self.by_head(self.text_q(x))
        k, v = (self.by_head(part) for part in self.text_kv(text).chunk(2, dim=-1))
        return self.text_out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))

    def forward(self, x, condition, turn, text):
        if text is None:
            adaptive = self.adaptive(condition).view(x.shape[0], 1, 6, -1)
        else:
            adaptive = self.adaptive + condition
        gate1, gate2, scale1, scale2, shift1, shift2 = adaptive.unbind(2)
        x = x + self.attention(norm(x) * (1 + scale1) + shift1, turn) * gate1
        if text is not None:
            x = x + self.text_attention(self.text_norm(x), text)
        inner = F.gelu(self.fc1(norm(x) * (1 + scale2) + shift2), approximate="tanh")
        return x + self.fc2(inner) * gate2


def turned(x, turn):
    """x [..., tokens, head_dim], neighbours a pair; turn: cosines and sines [tokens, head_dim / 2]."""
    x = x.unflatten(-1, (-1, 2))
    first, second = x[..., 0], x[..., 1]
    return torch.stack((turn[0] * first - turn[1] * second, turn[1] * first + turn[0] * second), dim=-1).flatten(-2)


def turn_of(side, last, head_dim):
    """Rows by the first half of the channels, columns by the second, in positions of the largest published grid."""
    frequencies = 10000.0 ** (-torch.arange(0, head_dim // 2, 2).float() / (head_dim // 2))
    angles = torch.outer((torch.arange(side).float() * last / side).round(), frequencies)
    both = torch.cat((angles[:, None].expand(-1, side, -1), angles[None].expand(side, -1, -1)), dim=-1).flatten(0, 1)
    return both.cos().to(torch.get_default_dtype()), both.sin().to(torch.get_default_dtype())


class Model(nn.Module):
    def __init__(self, size, layers, text, tokens):
        super().__init__()
        width = size["width"]
        self.blocks = nn.ModuleList(Block(width, size["heads"], text) for _ in range(layers))
        self.word, self.levels = nn.Linear(size["channels"], width), nn.Embedding(15, width)
        self.head_adaptive = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))
        self.head = nn.Linear(width, size["outputs"])
        if text:
            self.to_text = nn.Sequential(nn.Linear(TEXT_CHANNELS, width), nn.GELU("tanh"), nn.Linear(width, width))
            self.shared = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))
            self.pool_kv, self.pool_out = nn.Linear(TEXT_CHANNELS, 2 * width), nn.Linear(width, width)
            self.pool_q = nn.Parameter(torch.randn(1, TEXT_CHANNELS // 128, 1, width * 128 // TEXT_CHANNELS))
        else:
            self.classes = nn.Embedding(CLASSES + 1, width)
            self.positions = nn.Parameter(torch.randn(1, tokens, width) * 0.02)
            self.codes = nn.Embedding(size["outputs"], size["channels"])
            self.residual = nn.ModuleList(decoders.conv(size["channels"], size["channels"]) for _ in range(4))
        self.pixels = decoders.decoder("infinity" if text else "var")

    def condition(self, batch, text_tokens):
        """Of all rows [rows, width], and the text [rows, tokens, width]."""
        if not text_tokens:
            return self.classes(torch.cat((torch.randint(CLASSES, (batch,)), torch.full((batch,), CLASSES)))), None
        features = torch.randn(2 * batch, text_tokens, TEXT_CHANNELS)
        heads = self.pool_q.shape[1]
        k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in self.pool_kv(features).chunk(2, dim=-1))
        pooled = F.scaled_dot_product_attention(self.pool_q.expand(2 * batch, -1, -1, -1), k, v)
        return self.pool_out(pooled.transpose(1, 2).flatten(1)), self.to_text(features)

    def codes_of(self, logits, side, scale, scales, size):
        """Codes [batch, channels, side, side] drawn from the logits, and how they are enlarged and added."""
        last = scale == len(scales) - 1
        if not hasattr(self, "codes"):
            bits = common.sample(logits.unflatten(-1, (-1, 2)), TOP_K, size["top_p"])
            codes = (bits * 2 - 1).to(logits.dtype) / size["channels"] ** 0.5
            codes = codes.transpose(1, 2).unflatten(-1, (side, side))
            whole = (1, scales[-1], scales[-1])
            return codes if last else F.interpolate(codes.unsqueeze(2), size=whole, mode="trilinear").squeeze(2)
        codes = self.codes(common.sample(logits, TOP_K, size["top_p"])).transpose(1, 2).unflatten(-1, (side, side))
        codes = codes if last else F.interpolate(codes, size=scales[-1], mode="bicubic")
        return codes * 0.5 + self.residual[scale * 4 // len(scales)](codes) * 0.5


def draw(model, size, scales, batch, text_tokens):
    """Summed codes [batch, channels, side, side], and the milliseconds of every scale."""
    condition, text = model.condition(batch, text_tokens)
    shared = model.shared(condition).view(2 * batch, 1, 6, -1) if text_tokens else condition
    summed = torch.zeros(batch, size["channels"], scales[-1], scales[-1])
    x, first = condition.unsqueeze(1), 0
    turns = [turn_of(side, INFINITY_SIDES[-1], size["width"] // size["heads"]) if text_tokens else None for side in scales]
    clock = common.Clock()
    for scale, side in enumerate(scales):
        x = x + model.levels.weight[scale]
        if not text_tokens:
            x = x + model.positions[:, first:first + side ** 2]
        for block in model.blocks:
            x = block(x, shared, turns[scale], text)
        head_scale, head_shift = model.head_adaptive(condition).unsqueeze(1).chunk(2, dim=-1)
        logits = model.head(norm(x) * (1 + head_scale) + head_shift)
        strength = size["guidance"] if text_tokens else 1 + size["guidance"] * scale / (len(scales) - 1)
        logits = strength * logits[:batch] + (1 - strength) * logits[batch:]
        summed = summed + model.codes_of(logits, side, scale, scales, size)
        first += side ** 2
        if scale + 1 < len(scales):
            smaller = F.interpolate(summed, size=scales[scale + 1], mode="bilinear" if text_tokens else "area")
            x = model.word(smaller.flatten(2).transpose(1, 2)).repeat(2, 1, 1)
        clock.lap()
    return summed, clock.parts_ms


def main():
    parser = common.parser(__doc__, SIZES)
    parser.add_argument("--layers", type=int, help="so many of the model's layers")
    parser.add_argument("--pixels", choices=list(PIXELS), default="1M", help="of Infinity's image")
    parser.add_argument("--text-tokens", type=int, default=16, help="that Infinity attends to; kvscope makes up 16")
    options = parser.parse_args()
    idle_mib = common.begin(options)
    size, text = SIZES[options.work], options.work == "infinity_2b"
    scales = INFINITY_SIDES[:PIXELS[options.pixels]] if text else VAR_SIDES
    tokens = sum(side ** 2 for side in scales)
    layers = options.layers or size["layers"]
    model = Model(size, layers, text, tokens).eval()
    summed, steps_ms = draw(model, size, scales, options.batch, options.text_tokens if text else 0)
    clock = common.Clock()
    image = model.pixels(summed)
    clock.lap()
    common.report(options, idle_mib, steps_ms, clock.parts_ms[0], last_step_ms=round(steps_ms[-1], 2), layers=layers,
                  tokens=tokens, pixels=f"{image.shape[2]} x {image.shape[3]}", finite=bool(image.isfinite().all()))


if __name__ == "__main__":
    main()
