#include "experiments/commands/attention/attention_profile.h"

#include "core/base/mapped_file.h"
#include "core/base/sha256.h"

namespace kvscope {

Profile profile_of_record(const AttentionRecord& record,
                          const std::filesystem::path& file,
                          ProfileKind kind) {
  Sha256 prompts;
  for (const std::string& prompt : record.prompts) prompts.update(prompt + "\n");
  const MappedFile mapped(file);
  Sha256 bytes;
  bytes.update(mapped.data(), static_cast<size_t>(mapped.size_bytes()));
  return {.kind = kind,
          .model = record.model,
          .shape = {.layers = record.layers,
                    .heads = record.heads,
                    .head_dim = record.head_dim,
                    .steps = std::ssize(record.steps),
                    .next_token = record.is_next_token()},
          .source = {.prompts = record.images,
                     .prompts_sha256 = record.prompts.empty() ? "" : prompts.hex_digest(),
                     .record = file.filename().string(),
                     .record_sha256 = bytes.hex_digest(),
                     .point = record.point_hash}};
}

}  // namespace kvscope
