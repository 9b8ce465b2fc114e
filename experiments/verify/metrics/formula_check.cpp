#include <ATen/ATen.h>
#include <fmt/format.h>

#include <bit>
#include <nlohmann/json.hpp>

#include "core/base/json_finding.h"
#include "experiments/verify/metrics/formula_weights.h"
#include "experiments/verify/metrics/metric_groups.h"

namespace kvscope::verify {

std::vector<GroupResult> check_formula(GoldenFile& file) {
  if (!file.has_key("fill_tests")) return {not_in_file("weights by formula", "its tests")};
  GroupCheck bits("weights by formula", 0);
  GroupCheck sums("sums of such weights", 1e-9);
  int64_t differing = 0;
  try {
    for (const auto& test : nlohmann::json::parse(file.text("fill_tests"))) {
      const auto name = test.at("name").get<std::string>();
      const auto shape = test.at("shape").get<std::vector<int64_t>>();
      const auto index = test.at("index").get<std::vector<uint64_t>>();
      int64_t elements = 1;
      for (const int64_t size : shape) {
        if (size < 1 || size > kLargestSize || elements > kLargestSize / size) {
          file.fail(fmt::format("metadata 'fill_tests': no tensor has the shape of '{}'", name));
        }
        elements *= size;
      }
      const at::Tensor values = formula_tensor(name, shape).flatten();
      const uint64_t hash = fnv1a(name);
      if (fmt::format("{:016x}", hash) != test.at("fnv1a64").get<std::string>()) ++differing;
      std::vector<int64_t> computed;
      std::vector<int64_t> expected;
      for (size_t i = 0; i < index.size(); ++i) {
        if (index[i] >= static_cast<uint64_t>(elements)) {
          file.fail(fmt::format("metadata 'fill_tests': '{}' has no element {}", name, index[i]));
        }
        const auto mixed = test.at("mix64").at(i).get<std::string>();
        if (fmt::format("{:016x}", formula_bits(hash, index[i])) != mixed) ++differing;
        const auto value = values[static_cast<int64_t>(index[i])].item<float>();
        computed.push_back(std::bit_cast<uint32_t>(value));
        const auto text = test.at("value_bits").at(i).get<std::string>();
        expected.push_back(static_cast<int64_t>(std::stoull(text, nullptr, 16)));
      }
      bits.compare(at::tensor(computed, at::kLong), at::tensor(expected, at::kLong), name);
      sums.compare(values.to(at::kDouble).sum().view({1}),
                   at::tensor(test.at("sum_f64").get<double>(), at::kDouble), name);
    }
  } catch (const nlohmann::json::exception& error) {
    file.fail(fmt::format("metadata 'fill_tests': {}", json_finding(error)));
  } catch (const std::logic_error& error) {
    file.fail(fmt::format("metadata 'fill_tests': {}", error.what()));
  }
  if (differing > 0) bits.mismatch(fmt::format("{} hashes differ", differing));
  return {bits.result(), sums.result()};
}

}  // namespace kvscope::verify
