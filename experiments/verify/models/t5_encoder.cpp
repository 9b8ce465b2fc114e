#include "core/text/captions/t5_encoder.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/text/tokenizers/sentencepiece.h"
#include "experiments/verify/group_check.h"
#include "experiments/verify/kinds.h"

namespace kvscope::verify {
namespace {

// The ids again from the recorded texts, where the tokenizer that the file names lies beside it.
GroupResult check_ids(const GoldenFile& file, const at::Tensor& ids, const at::Tensor& mask) {
  GroupCheck check("input_ids", 0);
  const std::filesystem::path tokenizer =
      file.path().parent_path() / std::filesystem::path(file.text("tokenizer")).filename();
  if (!std::filesystem::exists(tokenizer)) {
    return check.result(
        fmt::format("not recomputed: '{}' is not beside the file", tokenizer.filename().string()));
  }
  const auto texts = nlohmann::json::parse(file.text("texts"), nullptr, false);
  if (!texts.is_array() || static_cast<int64_t>(texts.size()) != ids.size(0)) {
    file.fail(fmt::format("metadata 'texts' must be a list of {} strings", ids.size(0)));
  }
  const SentencePiece pieces = SentencePiece::from_file(tokenizer);
  for (int64_t row = 0; row < ids.size(0); ++row) {
    const auto& text = texts[static_cast<size_t>(row)];
    if (!text.is_string()) file.fail(fmt::format("metadata 'texts' entry {} is no string", row));
    const std::vector<int64_t> computed = pieces.encode(text.get<std::string>(), ids.size(1));
    check.compare(at::tensor(computed, at::kLong), ids[row].masked_select(mask[row] != 0),
                  fmt::format("row {}", row));
  }
  return check.result();
}

}  // namespace

std::vector<GroupResult> verify_t5_encoder(GoldenFile& file) {
  const at::NoGradGuard no_grad;
  const T5Config config{.d_model = file.integer("d_model"),
                        .layers = file.integer("layers"),
                        .heads = file.integer("heads"),
                        .d_kv = file.integer("d_kv"),
                        .d_ff = file.integer("d_ff"),
                        .vocabulary = file.integer("vocab"),
                        .buckets = file.integer("rel_buckets", 4),
                        .max_distance = file.integer("rel_max_distance", 2),
                        .eps = file.number("eps")};
  const std::vector<int64_t> batch = file.shape("input_ids");
  if (batch.size() != 2) file.fail("tensor 'input_ids' must be [rows, tokens]");
  const at::Tensor ids = file.tensor("input_ids", batch).to(file.device(), at::kLong);
  const at::Tensor mask = file.tensor("attention_mask", batch).to(file.device(), at::kLong);
  const at::Tensor recorded =
      file.tensor("last_hidden_state", {batch[0], batch[1], config.d_model});
  const at::Tensor computed = t5_encode(config, file.weights("t5."), ids, mask, "t5.");

  const at::Tensor real = mask != 0;
  GroupCheck states("last_hidden_state");
  states.compare(computed.index({real}), recorded.index({real.cpu()}), "last_hidden_state");
  std::vector<GroupResult> results{states.result("where the mask is 1")};
  if (file.has_key("texts") && file.has_key("tokenizer")) {
    results.push_back(check_ids(file, ids.cpu(), mask.cpu()));
  }
  return results;
}

}  // namespace kvscope::verify
