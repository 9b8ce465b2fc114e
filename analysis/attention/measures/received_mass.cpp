#include "analysis/attention/measures/received_mass.h"

#include "analysis/attention/attention_axes.h"

namespace kvscope {

void ReceivedMass::observe(ObservedStep& step) {
  layers_.resize(static_cast<size_t>(step.layers()));
  Layer& layer = layers_[static_cast<size_t>(step.layer())];
  if (step.step().index == 0) {
    layer.heads = step.heads();
    layer.tokens = all_tokens(step.steps());
    const auto keys = static_cast<size_t>(step.images() * layer.heads * layer.tokens);
    layer.sums.assign(keys, 0);
    layer.viewers.assign(keys, 0);
  }
  for (int64_t image = 0; image < step.images(); ++image) {
    for (int64_t head = 0; head < step.heads(); ++head) {
      const auto positions = step.positions(image, head);
      const auto sums = step.column_sums(image, head);
      const auto viewers = step.viewers(image, head);
      const int64_t first = (image * layer.heads + head) * layer.tokens;
      for (size_t i = 0; i < positions.size(); ++i) {
        const auto at = static_cast<size_t>(first + positions[i]);
        layer.sums[at] += static_cast<double>(sums[i]);
        layer.viewers[at] += viewers[i];
      }
    }
  }
}

double ReceivedMass::mean(int64_t layer, int64_t image, int64_t head, int64_t position) const {
  const Layer& of = layers_[static_cast<size_t>(layer)];
  const auto at = static_cast<size_t>((image * of.heads + head) * of.tokens + position);
  return of.viewers[at] == 0 ? 0 : of.sums[at] / static_cast<double>(of.viewers[at]);
}

}  // namespace kvscope
