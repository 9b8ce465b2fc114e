#include "core/text/tokenizers/sentencepiece_train.h"

#include <fmt/format.h>
#include <sentencepiece_trainer.h>

#include <unordered_map>

#include "core/base/atomic_file.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

// Hands the sentences to the library one by one, without a file between.
class Sentences : public sentencepiece::SentenceIterator {
 public:
  explicit Sentences(std::span<const std::string> sentences) : sentences_(sentences) {}
  [[nodiscard]] bool done() const override { return next_ == sentences_.size(); }
  void Next() override { ++next_; }
  [[nodiscard]] const std::string& value() const override { return sentences_[next_]; }
  [[nodiscard]] sentencepiece::util::Status status() const override { return {}; }

 private:
  std::span<const std::string> sentences_;
  size_t next_ = 0;
};

}  // namespace

void train_sentencepiece(std::span<const std::string> sentences,
                         int64_t vocabulary,
                         const std::filesystem::path& path) {
  if (sentences.empty()) {
    throw Error(ErrorKind::kInput, fmt::format("{}: no sentences to learn from", path.string()));
  }
  const std::unordered_map<std::string, std::string> options{
      {"model_type", "unigram"},
      {"vocab_size", std::to_string(vocabulary)},
      {"pad_id", "0"},
      {"eos_id", "1"},
      {"unk_id", "2"},
      {"bos_id", "-1"},
      {"num_threads", "1"},  // sums of several threads would differ with their
                             // number
      {"minloglevel", "2"},
  };
  Sentences iterator(sentences);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(options, &iterator, &model);
  if (!status.ok()) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: cannot learn {} pieces from {} sentences: {}", path.string(),
                            vocabulary, sentences.size(), status.ToString()));
  }
  write_file_atomically(path, model);
}

}  // namespace kvscope
