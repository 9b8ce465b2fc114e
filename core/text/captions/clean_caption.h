#pragma once

#include <string>
#include <string_view>

namespace kvscope {

/// A caption as LlamaGen's text-conditional models were trained on them (its language/t5.py, from
/// DeepFloyd IF): lower case, no URLs, HTML, nicknames, CJK ideographs, file names, article
/// numbers or product codes; plain quotes and dashes. Applied twice, as there. `caption` (UTF-8)
/// to tokenize after it with T5's SentencePiece model.
///
/// Throws Error(kInput) where the caption is not UTF-8 or its patterns take too many steps.
std::string clean_caption(std::string_view caption);

/// One of the two applications.
std::string clean_caption_once(std::string_view caption);

}  // namespace kvscope
