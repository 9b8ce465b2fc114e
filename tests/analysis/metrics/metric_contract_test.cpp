// What every registered metric owes: a metric is tested here from the moment it has its line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "analysis/metrics/measurement.h"
#include "analysis/metrics/registry.h"
#include "analysis/shapes/draw.h"
#include "core/base/error.h"
#include "core/config/yaml.h"
#include "core/engine/plan.h"
#include "test_paths.h"
#include "tests/analysis/metrics/random_networks.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

/// A scene of the shapes task, three times as large: 192 x 192 pixels, enough for every metric. For
/// networks, which take their time, it is not enlarged.
struct Example {
  shapes::Scene scene = shapes::random_scene(shapes::Skill::kColours, 5);
  Image image{};

  explicit Example(int64_t scale = 3)
      : image(scale * shapes::kImageSize, scale * shapes::kImageSize) {
    const Image drawn = shapes::draw(scene);
    for (int64_t y = 0; y < image.height; ++y) {
      for (int64_t x = 0; x < image.width; ++x) {
        std::copy_n(drawn.pixel(y / scale, x / scale), 3, image.pixel(y, x));
      }
    }
    tokens = tokens_of(image);
  }

  /// For a metric, which it measures.
  explicit Example(const Metric& metric) : Example(metric.inputs.empty() ? 3 : 1) {
    if (metric.make != nullptr) measure = metric.make(random_metric_inputs());
  }

  /// The image with the lowest `share` of its lines painted over.
  [[nodiscard]] Image damaged(double share) const {
    Image other = image;
    const auto first = static_cast<int64_t>((1 - share) * static_cast<double>(image.height));
    std::fill(other.pixel(first, 0), other.rgb.data() + other.rgb.size(), uint8_t{200});
    return other;
  }

  /// Tokens of which every line of the picture is one, sampled four to a step.
  static std::vector<uint8_t> tokens_of(const Image& seen) {
    std::vector<uint8_t> packed;
    for (int64_t y = 0; y < seen.height; ++y) {
      const std::span line(seen.pixel(y, 0), static_cast<size_t>(3 * seen.width));
      const int sum = std::accumulate(line.begin(), line.end(), 0);
      packed.push_back(static_cast<uint8_t>(sum & 0xFF));
      packed.push_back(static_cast<uint8_t>(sum >> 8 & 0xFF));
    }
    return packed;
  }

  CacheGeometry geometry = {
      .steps = next_scale_steps(std::vector<std::pair<int64_t, int64_t>>(48, {1, 4}))};
  std::vector<uint8_t> tokens{};
  MeasureImage measure{};

  [[nodiscard]] double value(const Image& seen) const {
    const std::vector<uint8_t> seen_tokens = tokens_of(seen);
    return measure({seen,
                    scene.caption,
                    shapes::skill_name(scene.skill),
                    &image,
                    {.image = seen_tokens, .reference = tokens, .geometry = &geometry}});
  }
};

/// Whether a network says how good an image is by itself: nobody knows which is best.
bool judges_by_network(const Metric& metric) {
  return metric.scope == MetricScope::kImage && !metric.inputs.empty();
}

class MetricContract : public testing::TestWithParam<Metric> {};

TEST_P(MetricContract, SaysWhatItIs) {
  const Metric& metric = GetParam();
  EXPECT_TRUE(std::ranges::all_of(metric.name, [](unsigned char letter) {
    return std::islower(letter) || std::isdigit(letter) || letter == '_';
  })) << metric.name;
  EXPECT_FALSE(metric.label.empty());
  EXPECT_FALSE(metric.title.empty());
  EXPECT_LT(metric.lowest, metric.highest);
  EXPECT_EQ(metric.left_out.empty(), metric.all_left_out.empty());
  EXPECT_EQ(&metric_named(metric.name), &*std::ranges::find(metrics(), metric.name, &Metric::name));
  if (metric.scope == MetricScope::kSet) {
    EXPECT_NE(metric.make_of_set, nullptr);
  } else {
    EXPECT_NE(metric.make, nullptr);
    EXPECT_NE(metric.summarise, nullptr);
  }
  // Results say what their values were computed from.
  EXPECT_EQ(metric.inputs.empty(), metric.implementation.empty());
}

TEST_P(MetricContract, NamesAFileThatIsNotGivenAndWhereItComesFrom) {
  const Metric& metric = GetParam();
  const auto needed = std::ranges::find_if(metric.inputs, [](const MetricInput& input) {
    return input.kind == MetricInput::Kind::kFile && input.needed;
  });
  if (needed == metric.inputs.end()) return;  // needs no file
  for (const MetricInput& input : metric.inputs) EXPECT_FALSE(input.help.empty()) << input.key;
  try {
    require_inputs(metric, MetricInputs());
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    for (const std::string& part : {metric.name, needed->key, needed->source}) {
      EXPECT_THAT(error.what(), testing::HasSubstr(part));
    }
  }
  MetricInputs elsewhere = random_metric_inputs();
  elsewhere.set(needed->key, "/nowhere/weights.pth");
  EXPECT_THROW(require_inputs(metric, elsewhere), Error);
}

TEST_P(MetricContract, AnEqualImageHasTheBestValue) {
  const Metric& metric = GetParam();
  if (metric.scope == MetricScope::kSet) return;  // of sets
  if (judges_by_network(metric)) return;          // no image is the best one
  const Example example(metric);
  const double best = metric.higher_is_better ? metric.highest : metric.lowest;
  const double value = example.value(example.image);
  if (std::isinf(best)) {
    EXPECT_EQ(value, best);
    EXPECT_FALSE(metric.left_out.empty()) << "no mean holds an infinite value";
  } else {
    EXPECT_NEAR(value, best, 1e-12);
  }
}

TEST_P(MetricContract, AWorseImageHasAWorseFiniteValue) {
  const Metric& metric = GetParam();
  if (metric.scope == MetricScope::kSet) return;  // of sets
  if (judges_by_network(metric)) return;          // random weights know no better
  const Example example(metric);
  const double sign = metric.higher_is_better ? 1 : -1;
  double better = sign * example.value(example.image);
  for (const double share : {0.3, 1.0}) {
    const double value = sign * example.value(example.damaged(share));
    EXPECT_TRUE(std::isfinite(value)) << share;
    EXPECT_LE(value, better) << share;
    better = value;
  }
  EXPECT_LT(better, sign * example.value(example.image));
}

TEST_P(MetricContract, SummariesLieWithinTheRange) {
  const Metric& metric = GetParam();
  if (metric.scope == MetricScope::kSet) return;  // of sets
  const Example example(metric);
  std::vector<double> values;
  for (const double share : {0.0, 0.05, 0.1, 0.4, 0.7, 1.0}) {
    values.push_back(example.value(example.damaged(share)));
    EXPECT_GE(values.back(), metric.lowest);
    EXPECT_LE(values.back(), metric.highest);
  }
  const MetricSummary summary = metric.summarise(values);
  const Interval& interval = summary.interval;
  EXPECT_EQ(summary.left_out,
            std::ranges::count_if(values, [](double v) { return std::isinf(v); }));
  EXPECT_GE(interval.estimate, metric.lowest);
  EXPECT_LE(interval.estimate, metric.highest);
  if (judges_by_network(metric)) {  // values of random weights may all be cut off at the lowest
    EXPECT_LE(interval.low, interval.estimate);
    EXPECT_GE(interval.high, interval.estimate);
    return;
  }
  EXPECT_LT(interval.low, interval.estimate);
  EXPECT_GT(interval.high, interval.estimate);
  const std::vector<double> one = {values.back()};
  EXPECT_DOUBLE_EQ(metric.summarise(one).interval.estimate, values.back());
}

TEST_P(MetricContract, RefusesPairsOfUnlikeSize) {
  const Metric& metric = GetParam();
  if (metric.scope != MetricScope::kPair) return;  // compares nothing
  const Example example(metric);
  const Image taller(example.image.height + 1, example.image.width);
  EXPECT_THROW(static_cast<void>(example.value(taller)), Error);
}

TEST_P(MetricContract, AWorseSetHasAWorseValueAndOneWithoutReferencesHasNone) {
  const Metric& metric = GetParam();
  if (metric.scope != MetricScope::kSet) return;  // of images
  const Example example(metric);
  const MeasureSet measure = metric.make_of_set(random_metric_inputs());
  const std::vector<Image> references = {example.image, example.damaged(0.5)};
  const auto value = [&](const std::vector<Image>& made, bool with_references) {
    return measure([&](const auto& visit) {
      for (size_t i = 0; i < made.size(); ++i) {
        visit({.image = made[i], .reference = with_references ? &references[i] : nullptr});
      }
    });
  };
  const double equal = value(references, true).interval.estimate;
  const double worse = value({example.damaged(0.9), example.damaged(1.0)}, true).interval.estimate;
  EXPECT_TRUE(std::isfinite(equal));
  EXPECT_LT(metric.higher_is_better ? worse : equal, metric.higher_is_better ? equal : worse);
  const MetricSummary none = value(references, false);
  EXPECT_TRUE(std::isnan(none.interval.estimate));
  EXPECT_EQ(none.left_out, 2);
}

INSTANTIATE_TEST_SUITE_P(Every, MetricContract, testing::ValuesIn(metrics()), [](const auto& test) {
  return test.param.name;
});

TEST(Metrics, HaveUniqueNamesAndLabels) {
  std::set<std::string> known;
  for (const Metric& metric : metrics()) {
    EXPECT_TRUE(known.insert(metric.name).second) << metric.name;
    EXPECT_TRUE(known.insert(metric.label).second) << metric.label;
  }
}

TEST(Metrics, TheStandardOnesAreThoseOfTheDefaultConfig) {
  const ConfigNode all = load_yaml_file(fs::path(kSourceDir) / "configs/metrics/all.yaml");
  EXPECT_EQ(all.at("list").as_string_list(), standard_metric_names());
}

TEST(Metrics, AnUnknownNameGetsTheNearest) {
  try {
    metric_named(metrics().front().name + "x");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    EXPECT_THAT(error.what(), testing::HasSubstr("'" + metrics().front().name + "'"));
  }
}

TEST(Metrics, RemarksAndListsReadWell) {
  EXPECT_EQ((Metric{.meaning = "a distance", .higher_is_better = false}.remark()),
            "a distance, lower is better");
  EXPECT_EQ(labels_in_words({{.label = "A"}}), "A");
  EXPECT_EQ(labels_in_words({{.label = "A"}, {.label = "B"}, {.label = "C"}}), "A, B and C");
}

TEST(Measurement, FillsWhatIsOpenAndPairsOnlyWithAReference) {
  const Example example(3);
  const Measurement measurement(metric_names(), random_metric_inputs());
  EXPECT_TRUE(measurement.compares());
  MetricValues values;
  const MeasuredImage alone{example.image, example.scene.caption,
                            shapes::skill_name(example.scene.skill)};
  measurement.measure(alone, values);
  EXPECT_FALSE(measurement.is_open(values, false));
  EXPECT_TRUE(measurement.is_open(values, true));
  for (const Metric& metric : metrics()) {
    if (metric.scope == MetricScope::kPair) {
      EXPECT_TRUE(std::isnan(values[metric.name]));
    }
    if (metric.scope == MetricScope::kImage) values[metric.name] = 0.25;  // stays
  }
  MeasuredImage pair = alone;
  pair.reference = &example.image;
  pair.tokens = {
      .image = example.tokens, .reference = example.tokens, .geometry = &example.geometry};
  measurement.measure(pair, values);
  EXPECT_FALSE(measurement.is_open(values, true));
  for (const Metric& metric : metrics()) {
    if (metric.scope == MetricScope::kImage) {
      EXPECT_EQ(values[metric.name], 0.25);
    }
  }
  EXPECT_THROW(Measurement(std::vector<std::string>{"none such"}), Error);
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// Whether `text` has `word` with no letter, digit or underscore beside it.
bool has_word(const std::string& text, const std::string& word) {
  const auto is_part = [&](size_t at) {
    return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0);
  };
  for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    if (!is_part(at - 1) && !is_part(at + word.size())) return true;
  }
  return false;
}

TEST(Metrics, AreNamedByNobodyElse) {
  for (const char* folder : {"kernels", "core", "policies", "analysis", "experiments"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(kSourceDir) / folder)) {
      const std::string file = entry.path().string();
      // Recorded tensors and the numbers of published judges have names of their own.
      const bool may_name = file.find("analysis/metrics/") != file.npos ||
                            file.find("experiments/verify/") != file.npos ||
                            file.find("experiments/judges/") != file.npos;
      if (!entry.is_regular_file() || may_name) continue;
      std::ifstream stream(file);
      const std::string text = lower(std::string(std::istreambuf_iterator<char>(stream), {}));
      for (const Metric& metric : metrics()) {
        if (metric.of_tokens) continue;  // called what the functions are that define them
        EXPECT_FALSE(has_word(text, metric.name)) << file << " names " << metric.name;
        EXPECT_FALSE(has_word(text, lower(metric.label))) << file << " names " << metric.label;
      }
    }
  }
}

}  // namespace
}  // namespace kvscope
