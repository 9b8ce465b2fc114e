#include "core/text/captions/caption_batch.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace kvscope {

CaptionBatch caption_batch(const SentencePiece& tokenizer,
                           std::span<const std::string> captions,
                           int64_t max_tokens) {
  std::vector<std::vector<int64_t>> ids;
  int64_t longest = 0;
  for (const std::string& caption : captions) {
    ids.push_back(tokenizer.encode(caption, max_tokens));
    longest = std::max(longest, static_cast<int64_t>(ids.back().size()));
  }
  const auto rows = static_cast<int64_t>(ids.size());
  CaptionBatch batch{
      at::zeros({rows, longest}, at::kLong), at::zeros({rows, longest}, at::kLong), {}};
  for (int64_t row = 0; row < rows; ++row) {
    const std::vector<int64_t>& line = ids[static_cast<size_t>(row)];
    std::copy(line.begin(), line.end(), batch.ids[row].data_ptr<int64_t>());
    batch.mask[row].narrow(0, 0, static_cast<int64_t>(line.size())).fill_(1);
    batch.lengths.push_back(static_cast<int64_t>(line.size()));
  }
  return batch;
}

}  // namespace kvscope
