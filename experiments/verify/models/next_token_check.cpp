#include "experiments/verify/models/next_token_check.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/models/shared/guidance.h"
#include "experiments/verify/cache_check.h"

namespace kvscope::verify {

NextTokenTrace trace(const NextTokenRun& run) {
  const next_token::DecoderConfig& config = run.model.config;
  const int64_t rows = run.condition.embeddings.size(0);
  const CacheGeometry geometry = cache_geometry(
      config.attention(),
      next_token_steps(run.condition.embeddings.size(1), run.options.forced_tokens.size(1)));
  KvCache cache(full_plan(geometry), rows, run.condition.embeddings.device());
  AttentionContext context{.cache = cache};
  const auto in_file_order = [&](const at::Tensor& x) {
    return run.interleaved ? interleaved_of_halves(x) : x;
  };
  std::vector<at::Tensor> hidden, row_logits, logits;
  std::vector<at::Generator> unused;
  next_token::generate(run.model, run.condition, run.options, unused, context,
                       [&](const next_token::StepResult& step) {
                         hidden.push_back(in_file_order(step.hidden));
                         row_logits.push_back(in_file_order(step.row_logits));
                         logits.push_back(step.logits);
                       });
  NextTokenTrace result{.hidden = at::stack(hidden, 1),
                        .row_logits = at::stack(row_logits, 1),
                        .logits = at::stack(logits, 1)};
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    result.keys.push_back(in_file_order(cached_layer(cache, layer, true)));
    result.values.push_back(in_file_order(cached_layer(cache, layer, false)));
  }
  return result;
}

at::Tensor recorded_tokens(
    GoldenFile& file, const std::string& name, int64_t images, int64_t tokens, int64_t vocabulary) {
  const at::Tensor ids = file.tensor(name, {images, tokens}).to(at::kLong);
  if (at::logical_or(ids < 0, ids >= vocabulary).any().item<bool>()) {
    file.fail(fmt::format("tensor '{}' holds an id outside 0..{}", name, vocabulary - 1));
  }
  return ids;
}

void compare_caches(GoldenFile& file,
                    const NextTokenTrace& trace,
                    const std::string& prefix,
                    GroupCheck& keys,
                    GroupCheck& values) {
  for (size_t layer = 0; layer < trace.keys.size(); ++layer) {
    const std::string k = fmt::format("{}cache.k.{}", prefix, layer);
    const std::string v = fmt::format("{}cache.v.{}", prefix, layer);
    if (layer + 1 < trace.keys.size() && !file.has(k) && !file.has(v)) continue;
    keys.compare(trace.keys[layer], file.tensor(k, trace.keys[layer].sizes()), k);
    values.compare(trace.values[layer], file.tensor(v, trace.values[layer].sizes()), v);
  }
}

}  // namespace kvscope::verify
