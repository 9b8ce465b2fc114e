#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "experiments/verify/verify.h"

namespace kvscope::verify {

/// One recorded text and the ids that the reference gave it.
struct TokenizerCase {
  std::string text{};
  std::vector<int64_t> ids{};
  std::optional<int64_t> max_length{};  ///< ids, where the case was cut
};

/// Throws Error(kInput): "PATH: message".
[[noreturn]] void fail_cases(const std::filesystem::path& path, const std::string& message);

/// The JSON file at `path`. Throws Error(kInput) where it cannot be read or is no JSON.
nlohmann::json read_case_file(const std::filesystem::path& path);

/// Its "cases"; at least one. Throws Error(kInput) naming the damaged case.
std::vector<TokenizerCase> tokenizer_cases(const std::filesystem::path& path,
                                           const nlohmann::json& file);

/// Every case tokenized by `encode` and compared; `tokenizer` is named in the note.
GroupResult check_cases(const std::string& group,
                        const std::vector<TokenizerCase>& cases,
                        const std::function<std::vector<int64_t>(const TokenizerCase&)>& encode,
                        const std::string& tokenizer);

}  // namespace kvscope::verify
