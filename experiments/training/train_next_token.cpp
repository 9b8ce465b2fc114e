#include "experiments/training/train_next_token.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "core/models/next_token/conditions.h"
#include "core/models/next_token/family_tensors.h"
#include "core/models/vq/vq_encoder.h"
#include "core/models/vq/vq_quantiser.h"
#include "experiments/training/shapes_batches.h"
#include "experiments/training/training_state.h"

namespace kvscope {
namespace {

struct Batch {
  at::Tensor ids;  // [B, image tokens] int64
  std::vector<std::string> prompts;
  std::vector<next_token::ConditionRow> rows;
};

class Trainer {
 public:
  Trainer(const NextTokenTraining& training, const TensorMap& vq_weights)
      : training_(training),
        vq_weights_(vq_weights.to(training.device)),
        text_{.tokenizer = BytePairTokenizer::from_file(training.vocabulary_path), .captions = {}},
        state_(training.schedule,
               start_weights(training, vq_weights),
               {.learning_rate = training.learning_rate},
               training.warmup_steps) {}

  TensorMap train(const TrainingReport& report) {
    return state_.train([this](int64_t step) { return loss_of(prepare(step)); }, report);
  }

 private:
  static TensorMap start_weights(const NextTokenTraining& training, const TensorMap& vq_weights) {
    if (!training.start.empty()) return trainable(training.start, training.device);
    const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(training.seed);
    TensorMap start =
        next_token::random_transformer(training.family, training.model, at::kFloat, generator);
    const std::string& codes = training.family.names.code_embedding;
    if (!codes.empty()) start.set(codes, vq_codebook(vq_weights).detach());
    return trainable(start, training.device);
  }

  // Everything random of a step comes from (seed, step), so that a resumed training repeats it.
  Batch prepare(int64_t index) const {
    const at::NoGradGuard no_grad;
    const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(
        training_.seed * 1000003 + static_cast<uint64_t>(index));
    const ShapesBatch shapes =
        shapes_batch(training_.seed + 1, index, training_.schedule.batch, training_.skill_shares);
    Batch batch;
    batch.ids = vq_encode(training_.model.vq, vq_weights_, shapes.images.to(training_.device), "",
                          training_.schedule.batch)
                    .flatten(1);
    batch.prompts = shapes.captions;
    batch.rows = next_token::condition_rows(training_.schedule.batch, /*guided=*/false);
    const at::Tensor draws = at::rand({training_.schedule.batch}, generator);
    for (next_token::ConditionRow& row : batch.rows) {
      row.conditional = draws[row.prompt].item<double>() >= training_.condition_dropout;
    }
    return batch;
  }

  at::Tensor loss_of(const Batch& batch) const {
    const TensorMap tensors =
        next_token::resolve(training_.family, training_.model, state_.weights());
    const next_token::Condition condition = training_.family.condition(
        {.model = training_.model, .tensors = tensors, .text = text_}, batch.prompts, batch.rows);
    const next_token::NextTokenModel model =
        next_token::make_model(training_.family, training_.model, tensors);
    // The last token is predicted and never fed.
    const at::Tensor logits = next_token::teacher_forcing(
        model, condition, batch.ids.narrow(1, 0, batch.ids.size(1) - 1));
    return at::cross_entropy_loss(logits.flatten(0, 1), batch.ids.flatten());
  }

  const NextTokenTraining& training_;
  TensorMap vq_weights_;
  next_token::TextTools text_;
  TrainingState state_;
};

}  // namespace

TensorMap train_next_token(const NextTokenTraining& training,
                           const TensorMap& vq_weights,
                           const TrainingReport& report) {
  Trainer trainer(training, vq_weights);
  return trainer.train(report);
}

}  // namespace kvscope
