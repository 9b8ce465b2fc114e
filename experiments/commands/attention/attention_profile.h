#pragma once

#include <filesystem>

#include "analysis/attention/attention_record.h"
#include "policies/profiles/profile.h"

namespace kvscope {

/// A profile of a record without values: the model and its shape, the prompts, the record's file
/// name and SHA-256. Throws Error(kInput) where `file`, which `record` was read from, cannot be
/// read.
Profile profile_of_record(const AttentionRecord& record,
                          const std::filesystem::path& file,
                          ProfileKind kind);

}  // namespace kvscope
