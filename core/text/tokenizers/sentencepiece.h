#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace kvscope {

/// A SentencePiece model as T5 uses it: text to ids with `</s>` behind them. Literal "</s>" or
/// "<extra_id_0>" inside the text is text, not a special id. Safe to share between threads.
class SentencePiece {
 public:
  /// Throws Error(kInput) naming the file where it is missing or no SentencePiece model.
  static SentencePiece from_file(const std::filesystem::path& path);
  /// `model` is the content of a .model file; `origin` names it in errors.
  static SentencePiece from_bytes(std::string_view model, const std::string& origin);

  SentencePiece(SentencePiece&&) noexcept;
  SentencePiece& operator=(SentencePiece&&) noexcept;
  ~SentencePiece();

  /// Ids of `text` (UTF-8) followed by `</s>`. With `max_length` m at most m ids: the first m - 1,
  /// then `</s>`. Throws Error(kConfig) for max_length < 1.
  [[nodiscard]] std::vector<int64_t> encode(std::string_view text,
                                            std::optional<int64_t> max_length = {}) const;
  /// Text of `ids`; control ids (`</s>`, padding) give nothing. Throws Error(kInput) for an id
  /// outside the vocabulary.
  [[nodiscard]] std::string decode(std::span<const int64_t> ids) const;

  [[nodiscard]] int64_t vocabulary() const;
  [[nodiscard]] int64_t end_id() const;

 private:
  explicit SentencePiece(std::unique_ptr<sentencepiece::SentencePieceProcessor> processor);

  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
};

}  // namespace kvscope
