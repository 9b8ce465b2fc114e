#include "experiments/sweep/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/metrics/registry.h"

namespace kvscope {
namespace {

/// What only next-token models have.
void append_next_token_shape(ConfigSchema& schema) {
  const auto size = [&](const char* key, const char* help) {
    schema.push_back({.key = key, .type = KeyType::kInt, .help = help, .minimum = 0});
  };
  schema.push_back({.key = "model.transformer.conditioning",
                    .help = "what an image is made of",
                    .allowed = {"class", "text"}});
  size("model.transformer.text_vocabulary", "entries of the text embedding");
  schema.push_back({.key = "model.picture.grid",
                    .type = KeyType::kList,
                    .help = "[height, width] of the picture in tokens"});
  schema.push_back({.key = "model.cfg_interval",
                    .type = KeyType::kInt,
                    .help = "guidance stops behind this token, counted from 0 at the second; -1: "
                            "never",
                    .minimum = -1});
  schema.push_back({.key = "model.text.clean",
                    .type = KeyType::kBool,
                    .help = "clean captions as LlamaGen does before they are tokenized"});
  schema.push_back({.key = "model.vq.size", .help = "a published VQ tokenizer: vq_16 or vq_8"});
  size("model.vq.base_channels", "channels of the finest level");
  size("model.vq.encoder_blocks", "residual blocks a level");
  size("model.vq.latent_channels", "channels between the networks and the codebook");
  size("model.vq.codebook_entries", "entries of the codebook: the image vocabulary");
  size("model.vq.code_width", "channels of an entry");
  size("model.vq.norm_groups", "groups of a group norm");
  schema.push_back({.key = "model.vq.channel_multipliers",
                    .type = KeyType::kList,
                    .help = "channels of the levels in base_channels, finest first"});
}

/// Sizes of a model; whether they fit each other is for the model to say.
void append_shape(ConfigSchema& schema) {
  const auto size = [&](const char* key, const char* help) {
    schema.push_back({.key = key, .type = KeyType::kInt, .help = help, .minimum = 0});
  };
  schema.push_back(
      {.key = "model.transformer.size", .help = "a published size, such as infinity_2b"});
  size("model.transformer.depth", "layers");
  size("model.transformer.chunks", "chunks that layers are named by");
  size("model.transformer.width", "channels of a token");
  size("model.transformer.heads", "attention heads");
  size("model.transformer.kv_heads", "heads of keys and values, where they are fewer");
  size("model.transformer.feed_forward_width", "channels inside a feed-forward");
  size("model.transformer.text_channels", "channels of the text features");
  size("model.transformer.text_max_tokens", "longest prompt in text tokens");
  size("model.transformer.code_bits", "bits of a latent pixel");
  size("model.transformer.rope_mode", "how positions of small scales are placed");
  size("model.transformer.classes", "labels of a class-conditional model");
  for (const char* key : {"model.transformer.patchify", "model.transformer.shared_ada_lin"}) {
    schema.push_back({.key = key, .type = KeyType::kBool, .help = "as in the published models"});
  }
  schema.push_back({.key = "model.picture.ratio",
                    .type = KeyType::kFloat,
                    .help = "height / width, the nearest published one is taken",
                    .minimum = 0.01,
                    .maximum = 100});
  schema.push_back({.key = "model.picture.pixels",
                    .help = "pixel budget",
                    .allowed = {"0.06M", "0.25M", "0.60M", "1M"}});
  schema.push_back({.key = "model.picture.schedule",
                    .type = KeyType::kList,
                    .help = "[height, width] of every scale in tokens"});
  size("model.vae.base_channels", "channels of the widest level");
  size("model.vae.encoder_blocks", "residual blocks a level");
  size("model.vae.norm_groups", "groups of a group norm");
  size("model.vae.codes", "entries of the codebook");
  size("model.vae.code_width", "channels of an entry");
  size("model.vae.phis", "residual convolutions that the scales share");
  schema.push_back({.key = "model.vae.channel_multipliers",
                    .type = KeyType::kList,
                    .help = "channels of the levels in base_channels"});
  append_next_token_shape(schema);
  schema.push_back(
      {.key = "model.text.size", .help = "a published T5 encoder: flan_t5_xl, flan_t5_xxl, ..."});
  size("model.text.d_model", "channels of the text encoder");
  size("model.text.layers", "its layers");
  size("model.text.heads", "its heads");
  size("model.text.d_kv", "channels of a head");
  size("model.text.d_ff", "channels inside a feed-forward");
  size("model.text.vocabulary", "pieces of the SentencePiece model");
}

ConfigSchema make_schema() {
  ConfigSchema schema = {
      {.key = "name",
       .help = "name of the sweep; its folder is called after it",
       .default_text = "the model's name",
       .is_volatile = true},
      {.key = "mode",
       .help = "sweep: points are run; plan: the cells of `table` are planned and compared with "
               "published numbers",
       .allowed = {"sweep", "plan"},
       .default_text = "sweep",
       .is_volatile = true},
      {.key = "table",
       .type = KeyType::kOpen,
       .help = "title, defaults and cells of a table of planned memory, see docs/paper_memory.md",
       .is_volatile = true},
      {.key = "seed",
       .type = KeyType::kInt,
       .help = "base seed, taken over by gen.seed",
       .minimum = 0,
       .default_text = "0",
       .is_volatile = true},
      {.key = "device",
       .help = "cpu, cuda, cuda:N, or auto: cuda where there is one",
       .default_text = "cpu"},
      {.key = "threads",
       .type = KeyType::kInt,
       .help = "CPU threads of one operation; null: all cores",
       .minimum = 1,
       .maximum = 1024,
       .nullable = true,
       .is_volatile = true},
      {.key = "workers",
       .type = KeyType::kInt,
       .help =
           "processes that share the points of a sweep, null: one a core; with threads null each "
           "has its part of the cores. For models too small to fill more than one",
       .minimum = 1,
       .maximum = 1024,
       .default_text = "1",
       .nullable = true,
       .is_volatile = true},
      {.key = "infeasible",
       .help =
           "what a sweep does with a budget that a policy cannot meet: refuse it before anything "
           "runs, or leave this point out and say so",
       .allowed = {"refuse", "skip"},
       .default_text = "refuse",
       .is_volatile = true},
      {.key = "prompt",
       .type = KeyType::kOpen,
       .help = "a single prompt, a text or the number of a class, instead of the prompts group",
       .default_text = "null",
       .nullable = true},

      {.key = "budget.ratio",
       .type = KeyType::kFloat,
       .help = "share of a full cache that stays, in (0, 1]",
       .default_text = "1.0",
       .nullable = true},
      {.key = "budget.tokens",
       .type = KeyType::kInt,
       .help = "tokens a head that stay, on average; replaces the ratio",
       .unit = "tokens",
       .default_text = "null",
       .nullable = true},
      {.key = "budget.bytes",
       .type = KeyType::kOpen,
       .help =
           "K and V of one image, its guidance rows included, as the policy stores them: 600MiB, "
           "1.5GB or a number; replaces the ratio",
       .unit = "bytes",
       .default_text = "null",
       .nullable = true},
      {.key = "budget.lines",
       .type = KeyType::kInt,
       .help = "as many tokens as this many image lines have, of a next-token model; replaces the "
               "ratio",
       .unit = "lines",
       .default_text = "null",
       .nullable = true},
      {.key = "budget.scales",
       .type = KeyType::kInt,
       .help = "as many tokens as the last n scales that are stored have, of a next-scale model; "
               "replaces the ratio",
       .unit = "scales",
       .default_text = "null",
       .nullable = true},
      {.key = "budget.scope",
       .help = "over what the number is a mean: all layers and heads (model), the heads of every "
               "layer (layer), none (head); step: as model, at every cut, a ratio being a share of "
               "what a full cache has then",
       .allowed = {"model", "layer", "head", "step"},
       .default_text = "model"},
      {.key = "budget.moment",
       .help = "when it holds: going into the last step (end), whatever was ever held at once "
               "(peak), or after every cut, with what comes until the next one on top (cut)",
       .allowed = {"cut", "end", "peak"},
       .default_text = "end"},
      {.key = "budget.text",
       .help = "whether the number counts condition tokens, or they come on top (free)",
       .allowed = {"counted", "free"},
       .default_text = "counted"},
      {.key = "budget.cfg_rows",
       .help = "whether the two rows of a guided image choose their tokens separately, or together "
               "by the sum of their scores (tied)",
       .allowed = {"separate", "tied"},
       .default_text = "separate"},

      {.key = "gen.images",
       .type = KeyType::kInt,
       .help = "number of prompts; null: all of the file or list",
       .minimum = 1,
       .maximum = 1e7,
       .default_text = "12",
       .nullable = true},
      {.key = "gen.batch",
       .type = KeyType::kInt,
       .help = "images generated at once",
       .minimum = 1,
       .maximum = 4096,
       .default_text = "4"},
      {.key = "gen.seed",
       .type = KeyType::kInt,
       .help = "seed of the images, together with prompt id and replica",
       .minimum = 0,
       .default_text = "${seed}"},
      {.key = "gen.replicas",
       .type = KeyType::kInt,
       .help = "images of each prompt",
       .minimum = 1,
       .maximum = 100000,
       .default_text = "1"},
      {.key = "gen.cfg",
       .type = KeyType::kNumberOrList,
       .help = "classifier-free guidance, one value or one a step; 1 is none",
       .minimum = 0,
       .maximum = 1000,
       .default_text = "3.0"},
      {.key = "gen.tau",
       .type = KeyType::kNumberOrList,
       .help = "temperature, one value or one a step",
       .minimum = 1e-6,
       .maximum = 1000,
       .default_text = "1.0"},
      {.key = "gen.store_last_scale",
       .type = KeyType::kBool,
       .help = "cache the last scale of a next-scale model too, which nothing reads, as ScaleKV's "
               "released code does (+gen.store_last_scale=true)",
       .default_text = "false",
       .nullable = true},
      {.key = "gen.cuts",
       .help = "when a step is cut and stored: as each layer has attended, or all layers together "
               "at the end, which takes fewer calls and more memory (+gen.cuts=per_step)",
       .allowed = {"per_layer", "per_step"},
       .default_text = "per_layer",
       .nullable = true},
      {.key = "gen.top_k",
       .type = KeyType::kInt,
       .help = "most likely values to draw from; 0: all",
       .minimum = 0,
       .default_text = "900"},
      {.key = "gen.top_p",
       .type = KeyType::kFloat,
       .help = "probability mass to draw from; 0: all",
       .minimum = 0,
       .maximum = 1,
       .default_text = "0.97"},

      {.key = "prompts.source",
       .help = "where prompts come from",
       .allowed = {"shapes", "file", "list"},
       .default_text = "shapes"},
      {.key = "prompts.seed",
       .type = KeyType::kInt,
       .help = "order of the shapes test captions",
       .minimum = 0,
       .default_text = "1"},
      {.key = "prompts.file", .help = "UTF-8 text, one prompt a line", .nullable = true},
      {.key = "prompts.list",
       .type = KeyType::kList,
       .help = "the prompts themselves: texts, or numbers of classes",
       .nullable = true},

      {.key = "metrics.list",
       .type = KeyType::kList,
       .help = "what is measured on every picture",
       .allowed = metric_names(),
       .default_text = fmt::format("[{}]", fmt::join(standard_metric_names(), ", "))},

      {.key = "policy", .type = KeyType::kOpen, .help = "a named policy, or its five slots"},
      {.key = "train",
       .type = KeyType::kOpen,
       .help = "settings of kvscope train",
       .is_volatile = true},
      {.key = "record",
       .type = KeyType::kOpen,
       .help = "settings of kvscope attention record",
       .is_volatile = true},
  };
  const ConfigSchema model = {
      {.key = "model.name", .help = "name of the model in tables"},
      {.key = "model.family", .help = "model family"},
      {.key = "model.weights",
       .help = "safetensors file or folder, or random",
       .default_text = "random"},
      {.key = "model.vae_weights", .help = "picture decoder's file", .nullable = true},
      {.key = "model.text_weights", .help = "text encoder's file", .nullable = true},
      {.key = "model.tokenizer", .help = "SentencePiece model", .nullable = true},
      {.key = "model.precision",
       .help = "types of weights and cache",
       .allowed = {"fp32", "compact", "reference"}},
      {.key = "model.layers",
       .type = KeyType::kInt,
       .help = "cuts the model to this many layers",
       .minimum = 1,
       .nullable = true},
  };
  schema.insert(schema.end(), model.begin(), model.end());
  append_shape(schema);
  return schema;
}

}  // namespace

const ConfigSchema& run_schema() {
  static const ConfigSchema schema = make_schema();
  return schema;
}

}  // namespace kvscope
