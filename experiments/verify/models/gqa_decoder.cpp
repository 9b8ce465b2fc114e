// Decoders of grouped queries, several in one file: CASE.TENSOR, sizes in the metadata "cases".
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/engine/attend.h"
#include "core/models/next_token/decoder_tensors.h"
#include "core/models/shared/rotation_tables.h"
#include "core/text/tokenizers/json_reader.h"
#include "experiments/verify/group_check.h"
#include "experiments/verify/kinds.h"
#include "experiments/verify/models/next_token_check.h"
#include "kernels/token_rows/token_rows.h"

namespace kvscope::verify {
namespace {

struct DecoderCase {
  std::string name;
  next_token::DecoderConfig config;
  int64_t vocabulary = 0;
  int64_t rows = 0;
  int64_t prompt_tokens = 0;
  int64_t tokens = 0;
  double theta = 0;
};

int64_t size_of(const JsonReader& entry, const char* key) {
  const int64_t size = entry.at(key).integer();
  if (size < 1 || size > kLargestSize) {
    entry.at(key).fail(fmt::format("is {}; expected 1..{}", size, kLargestSize));
  }
  return size;
}

DecoderCase read_case(const GoldenFile& file, const JsonReader& entry) {
  DecoderCase c;
  c.name = entry.at("name").text();
  c.config = {.layers = size_of(entry, "layers"),
              .heads = size_of(entry, "heads"),
              .kv_heads = size_of(entry, "kv_heads"),
              .width = size_of(entry, "hidden"),
              .feed_forward_width = size_of(entry, "intermediate"),
              .norm_epsilon = entry.at("rms_eps").number(),
              .norms_behind = entry.flag("swin_norm", false)};
  if (c.config.layers > static_cast<int64_t>(file.tensor_count())) {
    entry.at("layers").fail("more than the file has tensors");
  }
  const std::string attention = fmt::format("model.{}.model.layers.0.self_attn.", c.name);
  if (entry.flag("qk_norm", false)) {
    const auto rows = [&](const char* norm) {
      const std::vector<int64_t>& shape = file.shape(attention + norm);
      return shape.empty() ? 0 : shape.front();
    };
    c.config.query_key_norm = {.query_rows = rows("q_norm.weight"),
                               .key_rows = rows("k_norm.weight")};
  }
  c.config.check(2);
  if (size_of(entry, "head_dim") != c.config.head_dim()) {
    entry.at("head_dim").fail(fmt::format("expected {}, hidden / heads", c.config.head_dim()));
  }
  c.vocabulary = size_of(entry, "vocab");
  c.rows = size_of(entry, "rows");
  c.prompt_tokens = size_of(entry, "prompt_length");
  c.tokens = size_of(entry, "tokens");
  c.theta = entry.at("rope_theta").number();
  return c;
}

std::vector<DecoderCase> read_cases(const GoldenFile& file) {
  const std::string place = file.path().string() + ": metadata 'cases'";
  const nlohmann::json cases = parse_json(file.text("cases"), place);
  std::vector<DecoderCase> found;
  for (const JsonReader& entry : JsonReader(cases, place).items()) {
    found.push_back(read_case(file, entry));
  }
  return found;
}

struct Decoder {
  next_token::NextTokenModel model;
  at::Tensor embedding;  // [V, D]
};

Decoder read_decoder(GoldenFile& file, const DecoderCase& c) {
  const std::string below = fmt::format("model.{}.", c.name);
  const next_token::DecoderNames names = next_token::llama_names("model.");
  std::vector<WeightSpec> specs = next_token::decoder_tensors(c.config, names);
  for (const char* name : {"model.embed_tokens.weight", "lm_head.weight"}) {
    specs.push_back({.name = name, .shape = {c.vocabulary, c.config.width}});
  }
  const TensorMap weights = resolve_weights(
      specs, file.weights(below).below(below),
      [](const std::string& name) { return std::vector<std::string>{name}; },
      "the decoder " + c.name);
  Decoder decoder;
  decoder.embedding = weights.at("model.embed_tokens.weight");
  decoder.model.config = c.config;
  decoder.model.weights = next_token::decoder_weights(c.config, names, weights);
  decoder.model.rotation = on_device(
      line_rotation(c.prompt_tokens + c.tokens, c.config.head_dim(), c.theta), file.device());
  decoder.model.embed = [table = decoder.embedding](const at::Tensor& ids) {
    return table.index_select(0, ids.to(table.device()));
  };
  decoder.model.head = [head = weights.at("lm_head.weight")](const at::Tensor& hidden) {
    return at::linear(hidden, head);
  };
  return decoder;
}

/// [rows, prompt tokens, D] of all positions, after the final norm.
at::Tensor prefill_hidden(const DecoderCase& c,
                          const next_token::NextTokenModel& model,
                          const at::Tensor& embeddings) {
  const CacheGeometry geometry =
      cache_geometry(c.config.attention(), next_token_steps(c.prompt_tokens, 1));
  KvCache cache(full_plan(geometry), c.rows, embeddings.device());
  AttentionContext context{.cache = cache};
  const double softmax_scale = 1.0 / std::sqrt(static_cast<double>(c.config.head_dim()));
  const at::Tensor positions = at::arange(c.prompt_tokens, at::kLong).unsqueeze(0);
  const at::Tensor state = next_token::decode(
      c.config, model.weights, embeddings,
      at_positions(model.rotation, positions.to(embeddings.device())),
      [&](int64_t layer, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
          const at::Tensor& hidden, const at::Tensor& query_weight) {
        return attend(context, {.step = geometry.steps[0],
                                .layer = layer,
                                .q = q,
                                .k = k,
                                .v = v,
                                .softmax_scale = softmax_scale,
                                .hidden = hidden,
                                .query_weight = query_weight});
      });
  return rms_norm_rows(state, model.weights.norm, c.config.norm_epsilon);
}

}  // namespace

std::vector<GroupResult> verify_gqa_decoder(GoldenFile& file) {
  const at::NoGradGuard no_grad;
  GroupCheck greedy("tokens", 0);
  GroupCheck prefill("prefill_hidden");
  GroupCheck hidden("hidden");
  GroupCheck logits("logits", kTolerance, kLogitShare);
  GroupCheck keys("cache.k");
  GroupCheck values("cache.v");
  for (const DecoderCase& c : read_cases(file)) {
    const std::string prefix = c.name + ".";
    const at::Tensor prompts =
        recorded_tokens(file, prefix + "prompt_ids", c.rows, c.prompt_tokens, c.vocabulary);
    const at::Tensor tokens =
        recorded_tokens(file, prefix + "tokens", c.rows, c.tokens, c.vocabulary);
    const Decoder decoder = read_decoder(file, c);
    NextTokenRun run;
    run.model = decoder.model;
    run.condition.embeddings =
        decoder.model.embed(prompts.flatten()).view({c.rows, c.prompt_tokens, c.config.width});
    run.options.forced_tokens = tokens;
    const NextTokenTrace made = trace(run);
    const auto compare = [&](GroupCheck& check, const char* name, const at::Tensor& computed) {
      check.compare(computed, file.tensor(prefix + name, computed.sizes()), prefix + name);
    };
    compare(hidden, "hidden", made.hidden);
    compare(logits, "logits", made.logits);
    greedy.compare(made.logits.argmax(-1), tokens, prefix + "tokens");
    compare_caches(file, made, prefix, keys, values);
    if (!file.has(prefix + "prefill_hidden")) continue;
    compare(prefill, "prefill_hidden", prefill_hidden(c, decoder.model, run.condition.embeddings));
  }
  return {greedy.result("greedy"),
          prefill.compared() == 0 ? not_in_file("prefill_hidden", "CASE.prefill_hidden")
                                  : prefill.result(),
          hidden.result(),
          logits.result(),
          keys.result(),
          values.result()};
}

}  // namespace kvscope::verify
