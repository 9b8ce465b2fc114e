#include "core/text/tokenizers/sentencepiece.h"

#include <fmt/format.h>
#include <sentencepiece_processor.h>

#include <utility>

#include "core/base/error.h"
#include "core/base/foreign_file.h"
#include "core/base/mapped_file.h"

namespace kvscope {

SentencePiece::SentencePiece(std::unique_ptr<sentencepiece::SentencePieceProcessor> processor)
    : processor_(std::move(processor)) {}
SentencePiece::SentencePiece(SentencePiece&&) noexcept = default;
SentencePiece& SentencePiece::operator=(SentencePiece&&) noexcept = default;
SentencePiece::~SentencePiece() = default;

SentencePiece SentencePiece::from_file(const std::filesystem::path& path) {
  const MappedFile file(path);
  if (const std::string foreign = foreign_file(file.bytes()); !foreign.empty()) {
    throw Error(ErrorKind::kInput, fmt::format("{}: expected a SentencePiece model, this is {}",
                                               path.string(), foreign));
  }
  return from_bytes({reinterpret_cast<const char*>(file.data()), file.bytes().size()},
                    path.string());
}

SentencePiece SentencePiece::from_bytes(std::string_view model, const std::string& origin) {
  auto processor = std::make_unique<sentencepiece::SentencePieceProcessor>();
  // An empty message is a valid protocol buffer, and the library aborts on the model it describes.
  const auto status = model.empty()
                          ? sentencepiece::util::Status(sentencepiece::util::StatusCode::kDataLoss,
                                                        "the file is empty")
                          : processor->LoadFromSerializedProto(model);
  if (!status.ok()) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: expected a SentencePiece model: {}", origin, status.ToString()));
  }
  if (processor->eos_id() < 0) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: the SentencePiece model defines no </s>", origin));
  }
  return SentencePiece(std::move(processor));
}

std::vector<int64_t> SentencePiece::encode(std::string_view text,
                                           std::optional<int64_t> max_length) const {
  if (max_length && *max_length < 1) {
    throw Error(ErrorKind::kConfig,
                fmt::format("text max_length is {}, expected at least 1", *max_length));
  }
  std::vector<int> pieces;
  const auto status = processor_->Encode(text, &pieces);
  if (!status.ok()) {
    throw Error(ErrorKind::kInput,
                fmt::format("cannot tokenize '{}': {}", text, status.ToString()));
  }
  std::vector<int64_t> ids(pieces.begin(), pieces.end());
  if (max_length && static_cast<int64_t>(ids.size()) > *max_length - 1) {
    ids.resize(static_cast<size_t>(*max_length - 1));
  }
  ids.push_back(end_id());
  return ids;
}

std::string SentencePiece::decode(std::span<const int64_t> ids) const {
  std::vector<int> pieces;
  pieces.reserve(ids.size());
  for (const int64_t id : ids) {
    if (id < 0 || id >= vocabulary()) {
      throw Error(ErrorKind::kInput,
                  fmt::format("token id {} is outside the vocabulary of {}", id, vocabulary()));
    }
    pieces.push_back(static_cast<int>(id));
  }
  std::string text;
  const auto status = processor_->Decode(pieces, &text);
  if (!status.ok()) {
    throw Error(ErrorKind::kInput, fmt::format("cannot decode tokens: {}", status.ToString()));
  }
  return text;
}

int64_t SentencePiece::vocabulary() const {
  return processor_->GetPieceSize();
}

int64_t SentencePiece::end_id() const {
  return processor_->eos_id();
}

}  // namespace kvscope
