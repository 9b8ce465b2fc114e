#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_mass_history_top(const NaiveRecording& seen, const Where& where) {
  double mass = 0;
  const int64_t wanted = seen.options.sampled_queries;
  const StepInfo& info = seen.steps()[static_cast<size_t>(where("step"))];
  seen.each_line(
      where("layer"), where("head"), where("step"),
      [&](const NaiveLine& line) {
        std::vector<double> past(line.weights, line.weights + info.first_token);
        std::ranges::sort(past, std::greater{});
        past.resize(std::min(past.size(), static_cast<size_t>(seen.options.top_keys)));
        for (const double weight : past) mass += weight;
      },
      wanted);
  const auto sampled = static_cast<double>(evenly_spaced(info.queries(), wanted).size());
  return mass / sampled / group_of(seen) / seen.image_count();
}

}  // namespace kvscope
