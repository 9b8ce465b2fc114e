// tokenizer.json from any bytes: it may only give a tokenizer that tokenizes, or throw Error.
#include <string_view>

#include "core/base/error.h"
#include "core/text/tokenizers/byte_pair_tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using kvscope::BytePairTokenizer;
  // Every kind of character that patterns distinguish, and runs that hostile ones trip over.
  constexpr std::string_view kTexts[] = {
      "", "<s>Hello, w\u00F6rld's 12\u00BD  caf\u00E9\r\n\n \u4E2D\u6587 \U0001F600\u200D!</s> ",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
      "                                        x                                      "};
  try {
    const BytePairTokenizer tokenizer(kvscope::read_tokenizer_json(
        {reinterpret_cast<const char*>(data), size}, "tokenizer.json"));
    for (const std::string_view text : kTexts) {
      // Ids that a template adds may be no tokens; those of the text always are.
      (void)tokenizer.encode(text);
      (void)tokenizer.decode(tokenizer.encode_plain(text));
    }
  } catch (const kvscope::Error&) {
    // refused, as most inputs are
  }
  return 0;
}
