#include "analysis/attention/measures/full_attention.h"

#include "analysis/attention/observed_step.h"

namespace kvscope {

/// Copies the column sums of the full cache's step out, before its cache changes.
class FullAttention::Columns : public AttentionObserver {
 public:
  explicit Columns(FullAttention& owner) : owner_(owner) {}

  void begin_generation(int64_t /*rows*/) override {}

  void observe(const LayerStep& layer_step) override {
    const int64_t images = layer_step.k.size(0);
    ObservedStep step(layer_step, images);
    step.grant({.column_sums = true});
    owner_.columns_.clear();
    for (int64_t image = 0; image < images; ++image) {
      for (int64_t head = 0; head < step.heads(); ++head) {
        const auto sums = step.column_sums(image, head);
        owner_.columns_.emplace_back(sums.begin(), sums.end());
      }
    }
  }

 private:
  FullAttention& owner_;
};

void FullAttention::observe(const LayerStep& layer_step, int64_t images) {
  const KvCache& cache = *layer_step.cache;
  if (cache_ == nullptr) {
    cache_ = std::make_unique<KvCache>(full_plan(cache.plan().geometry()), images,
                                       layer_step.q.device());
    std::vector<int64_t> padding;
    for (int64_t row = 0; row < images; ++row) padding.push_back(cache.padding(row));
    if (cache.has_padding()) cache_->set_padding(padding);
  }
  heads_ = layer_step.k.size(1);
  Columns columns(*this);
  AttentionContext context{.cache = *cache_, .observers = {&columns}};
  AttentionInputs inputs = layer_step;
  inputs.q = inputs.q.narrow(0, 0, images);
  inputs.k = inputs.k.narrow(0, 0, images);
  inputs.v = inputs.v.narrow(0, 0, images);
  outputs_ = attend(context, inputs).to(at::kFloat);
}

std::span<const float> FullAttention::column_sums(int64_t image, int64_t head) const {
  return columns_[static_cast<size_t>(image * heads_ + head)];
}

}  // namespace kvscope
