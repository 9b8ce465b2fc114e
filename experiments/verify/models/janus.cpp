#include "core/models/janus/janus.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "core/models/janus/prompt.h"
#include "core/models/next_token/family_tensors.h"
#include "core/models/shared/guidance.h"
#include "experiments/verify/group_check.h"
#include "experiments/verify/kinds.h"
#include "experiments/verify/models/next_token_check.h"

namespace kvscope::verify {
namespace {

next_token::ModelDescription read_description(const GoldenFile& file) {
  next_token::ModelDescription model = janus::family().defaults;
  model.decoder = {.layers = file.integer("layers"),
                   .heads = file.integer("heads"),
                   .width = file.integer("hidden"),
                   .feed_forward_width = file.integer("intermediate"),
                   .norm_epsilon = file.number("rms_eps")};
  model.condition.text_vocabulary = file.integer("text_vocab");
  model.condition.text_tokens = file.integer("prompt_length");
  model.vq.codebook_entries = file.integer("image_vocab");
  model.vq.code_width = file.integer("image_embed_dim");
  model.grid_height = 1;  // positions are a line: the shape of the grid does not matter
  model.grid_width = file.integer("image_tokens");
  model.rope_theta = file.number("rope_theta");
  if (model.decoder.layers > static_cast<int64_t>(file.tensor_count())) {
    file.fail(fmt::format("metadata 'layers' is {}, more than the file has tensors",
                          model.decoder.layers));
  }
  check(janus::family(), model);
  if (file.integer("kv_heads") != model.decoder.heads ||
      file.integer("head_dim") != model.decoder.head_dim()) {
    file.fail(
        fmt::format("metadata 'kv_heads' is {} and 'head_dim' {}; expected {}, as many as "
                    "'heads', and {}, 'hidden' / 'heads'",
                    file.integer("kv_heads"), file.integer("head_dim"), model.decoder.heads,
                    model.decoder.head_dim()));
  }
  return model;
}

// Greedy decoding, step by step: the most likely token where the recorded ones came before.
void compare_greedy(const NextTokenTrace& trace, const at::Tensor& tokens, GroupCheck& check) {
  check.compare(trace.logits.argmax(-1), tokens, "tokens");
}

}  // namespace

std::vector<GroupResult> verify_janus(GoldenFile& file) {
  const at::NoGradGuard no_grad;
  const next_token::NextTokenFamily& family = janus::family();
  const next_token::ModelDescription model = read_description(file);
  const int64_t images = file.integer("batch");
  // Tokens and prompts first: their shapes confirm the sizes that the metadata claims.
  const auto tokens_called = [&](const std::string& name) {
    return recorded_tokens(file, name, images, model.image_tokens(), model.vq.codebook_entries);
  };
  const at::Tensor tokens = tokens_called("tokens");
  const at::Tensor prompts = recorded_tokens(
      file, "prompt_ids", 2 * images, model.condition.text_tokens, model.condition.text_vocabulary);
  const TensorMap tensors = resolve(
      family, model, published_names(family, model, file.weights("model.").below("model.")));

  NextTokenRun run;
  run.model = make_model(family, model, tensors);
  run.condition.embeddings = janus::prompt_embeddings(tensors, halves_of_interleaved(prompts));
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
