#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "analysis/verify/group_check.h"
#include "analysis/verify/kinds.h"
#include "analysis/verify/next_token_check.h"
#include "core/models/janus/prompt.h"
#include "core/models/janus/weights.h"
#include "core/models/shared/guidance.h"

namespace kvscope::verify {
namespace {

janus::JanusConfig read_config(const GoldenFile& file) {
  janus::JanusConfig config;
  config.decoder = {.layers = file.integer("layers"),
                    .heads = file.integer("heads"),
                    .width = file.integer("hidden"),
                    .feed_forward_width = file.integer("intermediate"),
                    .norm_epsilon = file.number("rms_eps")};
  config.text_vocabulary = file.integer("text_vocab");
  config.image_vocabulary = file.integer("image_vocab");
  config.code_width = file.integer("image_embed_dim");
  config.prompt_tokens = file.integer("prompt_length");
  config.image_tokens = file.integer("image_tokens");
  config.rope_theta = file.number("rope_theta");
  if (config.decoder.layers > static_cast<int64_t>(file.tensor_count())) {
    file.fail(fmt::format("metadata 'layers' is {}, more than the file has tensors",
                          config.decoder.layers));
  }
  config.check();
  if (file.integer("kv_heads") != config.decoder.heads ||
      file.integer("head_dim") != config.decoder.head_dim()) {
    file.fail(
        fmt::format("metadata 'kv_heads' is {} and 'head_dim' {}; expected {}, as many as "
                    "'heads', and {}, 'hidden' / 'heads'",
                    file.integer("kv_heads"), file.integer("head_dim"), config.decoder.heads,
                    config.decoder.head_dim()));
  }
  return config;
}

// Greedy decoding, step by step: the most likely token where the recorded ones came before.
void compare_greedy(const NextTokenTrace& trace, const at::Tensor& tokens, GroupCheck& check) {
  check.compare(trace.logits.argmax(-1), tokens, "tokens");
}

}  // namespace

std::vector<GroupResult> verify_janus(GoldenFile& file) {
  const at::NoGradGuard no_grad;
  const janus::JanusConfig config = read_config(file);
  const int64_t images = file.integer("batch");
  // Tokens and prompts first: their shapes confirm the sizes that the metadata claims.
  const auto tokens_called = [&](const std::string& name) {
    return recorded_tokens(file, name, images, config.image_tokens, config.image_vocabulary);
  };
  const at::Tensor tokens = tokens_called("tokens");
  const at::Tensor prompts =
      recorded_tokens(file, "prompt_ids", 2 * images, config.prompt_tokens, config.text_vocabulary);
  const janus::JanusWeights weights =
      janus::resolve_janus(config, janus::published_names(file.weights("model.").below("model.")));

  NextTokenRun run;
  run.model = janus::make_model(config, weights);
  run.condition = janus::row_condition(weights, halves_of_interleaved(prompts));
  run.options.cfg = {file.number("cfg")};
  run.interleaved = true;
  if (!guided(run.options.cfg)) file.fail("metadata 'cfg' is 1: no guidance");

  GroupCheck greedy("tokens", 0);
  GroupCheck hidden("hidden");
  GroupCheck row_logits("logits.cond_uncond", kTolerance, kLogitShare);
  GroupCheck logits("logits.cfg", kTolerance, kLogitShare);
  GroupCheck keys("cache.k");
  GroupCheck values("cache.v");
  const auto compare = [&](const std::string& prefix, const at::Tensor& forced) {
    run.options.forced_tokens = forced;
    const NextTokenTrace made = trace(run);
    const auto recorded = [&](const char* name, const at::Tensor& like) {
      return file.tensor(prefix + name, like.sizes());
    };
    hidden.compare(made.hidden, recorded("hidden", made.hidden), prefix + "hidden");
    row_logits.compare(made.row_logits, recorded("logits.cond_uncond", made.row_logits),
                       prefix + "logits.cond_uncond");
    logits.compare(made.logits, recorded("logits.cfg", made.logits), prefix + "logits.cfg");
    compare_caches(file, made, prefix, keys, values);
    return made;
  };
  compare_greedy(compare("", tokens), tokens, greedy);
  if (file.has("forced.tokens")) compare("forced.", tokens_called("forced.tokens"));
  return {greedy.result("greedy"), hidden.result(), row_logits.result(),
          logits.result(),         keys.result(),   values.result()};
}

}  // namespace kvscope::verify
