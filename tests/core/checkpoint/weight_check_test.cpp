#include "core/checkpoint/weight_check.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/checkpoint/torch_file.h"
#include "tests/support/logged_text.h"

namespace kvscope {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<WeightSpec> specs() {
  return {{.name = "head.weight", .shape = {3, 4}, .part = "model."},
          {.name = "head.bias", .shape = {3}, .part = "model.", .other_names = {"out.bias"}},
          {.name = "scale", .shape = {1, 6, 1}, .part = "model.", .any_layout = true},
          {.name = "table", .shape = {-1, 2}, .part = "model."},
          {.name = "zeros", .shape = {5}, .buffer = true, .part = "model."},
          {.name = "conv.weight", .shape = {2, 2}, .part = "vae."}};
}

TensorMap weights(const std::string& prefix = "") {
  TensorMap map;
  map.set(prefix + "head.weight", at::ones({3, 4}));
  map.set(prefix + "head.bias", at::ones({3}));
  map.set(prefix + "scale", at::ones({6}));
  map.set(prefix + "table", at::ones({9, 2}).to(at::kBFloat16));
  return map;
}

TEST(WeightCheck, TakesEveryPublishedSpelling) {
  for (const std::string prefix : {"", "model."}) {
    const WeightReport report = compare_weights(specs(), weights(prefix));
    EXPECT_TRUE(report.fits()) << report_text(report);
    EXPECT_EQ(report.matched, 4);
    EXPECT_THAT(report.absent_parts, ElementsAre("vae."));
    EXPECT_THAT(report.unexpected, IsEmpty());
  }
  TensorMap both = weights("model.");
  both.set("vae.conv.weight", at::ones({2, 2}));
  both.set("model.zeros", at::zeros({5}, at::kLong));
  EXPECT_EQ(compare_weights(specs(), both).matched, 6);
  EXPECT_THAT(compare_weights(specs(), both).absent_parts, IsEmpty());
  TensorMap other;
  for (const auto& [name, tensor] : weights()) {
    other.set(name == "head.bias" ? "out.bias" : name, tensor);
  }
  EXPECT_TRUE(compare_weights(specs(), other).fits());
}

TEST(WeightCheck, ARenamedTensorIsNamedByBothNames) {
  TensorMap renamed;
  for (const auto& [name, tensor] : weights()) {
    renamed.set(name == "head.weight" ? "head.wieght" : name, tensor);
  }
  const std::string text =
      input_error_of([&] { require_weights(specs(), renamed, "file.bin", "probe"); });
  EXPECT_THAT(text, AllOf(HasSubstr("file.bin does not fit probe: 1 missing"),
                          HasSubstr("missing 'head.weight' [3, 4]"),
                          HasSubstr("the nearest of that shape in the file is 'head.wieght'"),
                          HasSubstr("unexpected 'head.wieght'")));
}

TEST(WeightCheck, ANearNameOfAnotherShapeIsNotSuggested) {
  TensorMap other;
  for (const auto& [name, tensor] : weights()) {
    if (name == "head.weight") {
      other.set("head.wieght", at::ones({4, 3}));
      other.set("head.weight_1", at::ones({3, 4}));
    } else {
      other.set(name, tensor);
    }
  }
  const std::string text =
      input_error_of([&] { require_weights(specs(), other, "file.bin", "probe"); });
  EXPECT_THAT(text, HasSubstr("the nearest of that shape in the file is 'head.weight_1'"));
  TensorMap none;
  for (const auto& [name, tensor] : weights()) {
    if (name != "head.weight") none.set(name, tensor);
  }
  none.set("head.wieght", at::ones({4, 3}));
  EXPECT_THAT(input_error_of([&] { require_weights(specs(), none, "file.bin", "probe"); }),
              testing::Not(HasSubstr("nearest")));
}

TEST(WeightCheck, MismatchesSayBothValues) {
  TensorMap map = weights("model.");
  map.set("model.head.weight", at::ones({4, 3}));
  map.set("model.head.bias", at::ones({3}, at::kLong));
  map.set("model.table", at::ones({9, 3}));
  map.set("model.scale", at::ones({7}));
  const std::string text = input_error_of([&] { require_weights(specs(), map, "f", "m"); });
  EXPECT_THAT(text, AllOf(HasSubstr("'model.head.weight' has shape [4, 3], expected [3, 4]"),
                          HasSubstr("'model.head.bias' has dtype int64, expected a floating one"),
                          HasSubstr("'model.table' has shape [9, 3], expected [any, 2]"),
                          HasSubstr("'model.scale' has shape [7], expected [1, 6, 1]")));
}

TEST(WeightCheck, UnexpectedTensorsAreAWarning) {
  TensorMap map = weights();
  map.set("rope.inv_freq", at::ones({2}));
  const LoggedText log;
  EXPECT_NO_THROW(require_weights(specs(), map, "f", "m"));
  EXPECT_THAT(log.text(), AllOf(HasSubstr("[warning] f: 1 tensors that m does not ask for"),
                                HasSubstr("unexpected 'rope.inv_freq'")));
  EXPECT_THAT(compare_weights(specs(), map).unexpected, ElementsAre("rope.inv_freq"));
}

TEST(WeightCheck, UnneededTensorsAreNeitherMissingNorUnexpected) {
  std::vector<WeightSpec> wanted = specs();
  wanted.push_back(unneeded_tensors("encoder.", "model.", {"native.encoder."}));
  for (const std::string prefix : {"", "model."}) {
    TensorMap map = weights(prefix);
    EXPECT_TRUE(compare_weights(wanted, map).fits());
    map.set(prefix + "encoder.a", at::ones({2}));
    map.set(prefix + "encoders", at::ones({2}));
    map.set(prefix + "native.encoder.a.b", at::ones({2}, at::kLong));
    map.set("other." + prefix + "encoder.a", at::ones({2}));
    const WeightReport report = compare_weights(wanted, map);
    EXPECT_EQ(report.matched, 4);
    EXPECT_THAT(report.unexpected, testing::UnorderedElementsAre(prefix + "encoders",
                                                                 "other." + prefix + "encoder.a"));
  }
  EXPECT_EQ(parameter_count(wanted), parameter_count(specs()));
}

TEST(WeightCheck, ABufferOfAnotherShapeIsUnexpectedAndNoObstacle) {
  TensorMap map = weights();
  map.set("zeros", at::zeros({6}));
  const WeightReport report = compare_weights(specs(), map);
  EXPECT_TRUE(report.fits());
  EXPECT_THAT(report.unexpected, ElementsAre("zeros"));
}

TEST(WeightCheck, NativeNamesMayBeginLikeThePart) {
  const std::vector<WeightSpec> wanted = {
      {.name = "text.norm", .shape = {3}, .part = "model.", .other_names = {"model.lm.norm"}},
      {.name = "head", .shape = {2}, .part = "model.", .other_names = {"lm_head"}}};
  TensorMap map;
  map.set("model.lm.norm", at::ones({3}));
  map.set("lm_head", at::ones({2}));
  EXPECT_TRUE(compare_weights(wanted, map).fits());
  EXPECT_EQ(compare_weights(wanted, map).matched, 2);
}

TEST(WeightCheck, AnotherModelsFileMissesTheModelItself) {
  TensorMap map;
  map.set("something.else", at::ones({2}));
  const WeightReport report = compare_weights(specs(), map);
  EXPECT_EQ(report.missing.size(), 4);
  EXPECT_THAT(report_text(report), Not(HasSubstr("zeros")));
}

TEST(WeightCheck, LongListsAreCutAndSaySo) {
  TensorMap map;
  for (int i = 0; i < 500; ++i) map.set("unknown." + std::to_string(i), at::ones({1}));
  map.set("head.wieght", at::ones({3, 4}));
  const std::string text = report_text(compare_weights(specs(), map));
  EXPECT_THAT(text, AllOf(HasSubstr("unexpected 'head.wieght'"), HasSubstr("... and 481 more")));
}

}  // namespace
}  // namespace kvscope
