#!/usr/bin/env python3
"""Janus-Pro and LlamaGen in PyTorch: the published loop around transformers' LlamaModel, on random weights.

  next_token.py janus_pro_1b --layers 2       2 of 24 layers: a prompt of 64 tokens, then 576 codes of an image
  next_token.py llamagen_b                    a class, then 576 codes
  next_token.py janus_pro_1b --type bfloat16 --batch 8

Every image has two rows, with its condition and without; logits are mixed by the guidance, one code of 16384 is drawn, and its
embedding is what comes next. Cache, attention and layers are transformers' own: DynamicCache, which appends by copying, and
scaled_dot_product_attention. Behind the last code the image is decoded, as the published programs do (decoders.py).

LlamaGen publishes its own decoder with a cache of fixed size and 2-D rotary positions; LlamaModel is what PyTorch offers for the
same arithmetic. Left out: tokenizers, and the vision tower, language head and encoders that the published files hold as well.
"""

import torch
import torch.nn.functional as F
import transformers
from torch import nn
from transformers import DynamicCache, LlamaConfig, LlamaModel

import common
import decoders

CODES, CODE_WIDTH = 16384, 8
SIZES = {
    "janus_pro_1b": {"layers": 24, "heads": 16, "width": 2048, "feed_forward": 5632, "entries": 102400, "condition": 64,
                     "epsilon": 1e-6, "guidance": 5.0, "top_k": 0},
    "llamagen_b": {"layers": 12, "heads": 12, "width": 768, "feed_forward": 2048, "entries": 1001, "condition": 1,
                   "epsilon": 1e-5, "guidance": 4.0, "top_k": 2000},
}


def perceptron(inputs, hidden, outputs):
    return nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, outputs))


class Model(nn.Module):
    """The decoder with what stands before and behind it. entries: rows of the table of conditions, words or classes."""

    def __init__(self, name, size, layers):
        super().__init__()
        width = size["width"]
        self.decoder = LlamaModel(LlamaConfig(
            hidden_size=width, intermediate_size=size["feed_forward"], num_hidden_layers=layers,
            num_attention_heads=size["heads"], num_key_value_heads=size["heads"], vocab_size=size["entries"],
            max_position_embeddings=16384, rms_norm_eps=size["epsilon"], attn_implementation="sdpa",
            dtype=torch.get_default_dtype()))
        self.codes = nn.Embedding(CODES, CODE_WIDTH)
        if name == "janus_pro_1b":
            self.embed = nn.Sequential(self.codes, perceptron(CODE_WIDTH, width, width))
            self.head = perceptron(width, width, CODES)
        else:
            self.embed = nn.Embedding(CODES, width)
            self.head = nn.Linear(width, CODES, bias=False)
        self.pixels = decoders.decoder("vq")


def draw(model, size, batch, tokens):
    """Codes [batch, tokens], and the milliseconds of every step; the first reads the condition."""
    conditions = torch.randint(size["entries"], (2 * batch, size["condition"]))
    rows = model.decoder.embed_tokens(conditions)
    cache = DynamicCache()
    drawn = torch.zeros((batch, tokens), dtype=torch.long)
    clock = common.Clock()
    for token in range(tokens):
        hidden = model.decoder(inputs_embeds=rows, use_cache=True, past_key_values=cache).last_hidden_state
        logits = model.head(hidden[:, -1])
        with_condition, without = logits[0::2], logits[1::2]
        logits = without + size["guidance"] * (with_condition - without)
        drawn[:, token] = common.sample(logits, size["top_k"])
        rows = model.embed(drawn[:, token].repeat_interleave(2)).unsqueeze(1)
        clock.lap()
    assert cache.get_seq_length() == size["condition"] + tokens - 1, "the cache was not used"
    return drawn, clock.parts_ms


def main():
    parser = common.parser(__doc__, SIZES)
    parser.add_argument("--layers", type=int, help="so many of the model's layers")
    parser.add_argument("--grid", type=int, default=24, help="codes of a side of the image")
    options = parser.parse_args()
    idle_mib = common.begin(options)
    size = SIZES[options.work]
    layers = options.layers or size["layers"]
    model = Model(options.work, size, layers).eval()
    drawn, steps_ms = draw(model, size, options.batch, options.grid ** 2)
    clock = common.Clock()
    codes = F.normalize(model.codes(drawn), dim=-1).transpose(1, 2).reshape(options.batch, -1, options.grid, options.grid)
    image = model.pixels(codes)
    clock.lap()
    common.report(options, idle_mib, steps_ms, clock.parts_ms[0], layers=layers, tokens=options.grid ** 2,
                  transformers=transformers.__version__, finite=bool(image.isfinite().all()))


if __name__ == "__main__":
    main()
