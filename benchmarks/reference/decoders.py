"""The convolutional decoders that turn codes into pixels, as plain PyTorch modules in NCHW, as they are published.

Three of them: VQ-16 of LlamaGen and Janus-Pro, VAR's, and that of Infinity-2B. All are residual blocks (group norm, SiLU, 3 x 3
convolution, twice) around nearest-neighbour upsampling; the first two attend over all pixels on the coarsest level. SiLU is one
operator in place, which is no slower and no larger than the x * sigmoid(x) of some published code. The batch is decoded at once,
as published. Left out: encoders, and the clamping and rounding to bytes.
"""

import torch
import torch.nn.functional as F
from torch import nn


def norm(channels):
    return nn.GroupNorm(32, channels, eps=1e-6)


def conv(inputs, outputs, kernel=3):
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm1, self.conv1 = norm(inputs), conv(inputs, outputs)
        self.norm2, self.conv2 = norm(outputs), conv(outputs, outputs)
        self.shortcut = nn.Identity() if inputs == outputs else conv(inputs, outputs, 1)

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x), inplace=True))
        h = self.conv2(F.silu(self.norm2(h), inplace=True))
        return self.shortcut(x) + h


class PixelAttention(nn.Module):
    """One head over all pixels; fused: q, k and v from one 1 x 1 convolution, as VAR has them, else from three."""

    def __init__(self, channels, fused):
        super().__init__()
        self.norm = norm(channels)
        self.qkv = nn.ModuleList([conv(channels, 3 * channels, 1)] if fused else [conv(channels, channels, 1) for _ in range(3)])
        self.out = conv(channels, channels, 1)

    def forward(self, x):
        batch, channels, height, width = x.shape
        normed = self.norm(x)
        qkv = torch.cat([part(normed) for part in self.qkv], dim=1) if len(self.qkv) == 1 else None
        q, k, v = qkv.chunk(3, dim=1) if qkv is not None else [part(normed) for part in self.qkv]
        q, k, v = (t.reshape(batch, channels, height * width) for t in (q, k, v))
        shares = torch.bmm(q.transpose(1, 2), k).mul_(channels ** -0.5).softmax(dim=2)
        return x + self.out(torch.bmm(v, shares.transpose(1, 2)).view(batch, channels, height, width))


class Upsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = conv(channels, channels)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


class Decoder(nn.Sequential):
    """codes: channels of the codes; multipliers: of the channels of every level, finest first; attention: none, fused, apart;
    before: the convolution between codes and network, (channels, kernel)."""

    def __init__(self, codes, base, multipliers, attention, before=None, blocks=3):
        channels = base * multipliers[-1]
        attends = [] if attention == "none" else [attention == "fused"]
        layers = [conv(codes, *before)] if before else []
        layers += [conv(before[0] if before else codes, channels), ResidualBlock(channels, channels)]
        layers += [PixelAttention(channels, fused) for fused in attends] + [ResidualBlock(channels, channels)]
        for level in reversed(range(len(multipliers))):
            for _ in range(blocks):
                layers.append(ResidualBlock(channels, base * multipliers[level]))
                channels = base * multipliers[level]
                if level == len(multipliers) - 1:
                    layers += [PixelAttention(channels, fused) for fused in attends]
            if level > 0:
                layers.append(Upsample(channels))
        super().__init__(*layers, norm(channels), nn.SiLU(inplace=True), conv(channels, 3))


def decoder(name):
    """vq: 8 channels of 16384 codes, stride 16; var: 32 channels, stride 16; infinity: 32 bits, stride 16."""
    if name == "vq":
        return Decoder(8, 128, [1, 1, 2, 2, 4], "apart", before=(256, 1))
    if name == "var":
        return Decoder(32, 160, [1, 1, 2, 2, 4], "fused", before=(32, 3))
    return Decoder(32, 128, [1, 2, 4, 4, 4], "none")


CODE_CHANNELS = {"vq": 8, "var": 32, "infinity": 32}
