#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/tokenizers/added_tokens.h"
#include "core/text/tokenizers/byte_pair_model.h"
#include "core/text/tokenizers/pre_tokenizer.h"

namespace kvscope {

/// What a tokenizer.json says, as far as byte-level BPE goes.
struct TokenizerJson {
  std::vector<AddedToken> added_tokens;
  PreTokenizer pre_tokenizer;
  BytePairModel model;
  std::vector<int64_t> prefix;  ///< ids in front of every text
  std::vector<int64_t> suffix;  ///< ids behind it
};

/// Reads the content of a tokenizer.json (Hugging Face tokenizers, version 1.0). `origin` names it
/// in errors. `config` is the content of the tokenizer_config.json beside it, or empty: where it
/// names a LlamaTokenizer, its add_bos_token (default true) and add_eos_token (default false)
/// replace the post-processor, as that class does. Throws Error(kInput) saying where the file is
/// damaged or asks for a normalizer, pre-tokenizer, post-processor, decoder or model that is not
/// known here, and naming those that are.
TokenizerJson read_tokenizer_json(std::string_view text,
                                  const std::string& origin,
                                  std::string_view config = {},
                                  const std::string& config_origin = "tokenizer_config.json");

}  // namespace kvscope
