#include "analysis/attention/attention_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>

#include "analysis/attention/attention_axes.h"
#include "analysis/attention/selectivity.h"
#include "analysis/attention/statistic_registry.h"
#include "core/base/error.h"
#include "core/hdf5/file.h"
#include "core/hdf5/seal.h"
#include "test_paths.h"
#include "tests/analysis/attention/attention_run.h"

namespace kvscope {
namespace {

using std::filesystem::path;
using testing::HasSubstr;

path file_of_test(const std::string& name) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const path folder = path(testing::TempDir()) / (std::string("kvscope_attention_") + test->name());
  std::filesystem::create_directories(folder);
  std::filesystem::remove(folder / name);
  return folder / name;
}

AttentionRecord sample_record() {
  AttentionRun run;
  AttentionRecorder recorder({.guided = true, .top_keys = 3, .raw_heads = {{1, 2}}});
  recorder.add_prompts({"a réd circle", ""});
  run.generate(recorder, 3);
  AttentionRecord record = recorder.record();
  record.model = "toy";
  record.point_hash = "0123456789abcdef";
  record.first_images = {{137, 80, 0}, {255}};
  return record;
}

TEST(AttentionFile, GivesTheRecordBack) {
  const path file = file_of_test("attention.h5");
  const AttentionRecord record = sample_record();
  write_attention(file, record);
  const AttentionRecord read = read_attention(file);
  EXPECT_EQ(read.model, record.model);
  EXPECT_EQ(read.point_hash, record.point_hash);
  EXPECT_EQ(read.prompts, record.prompts);
  EXPECT_EQ(read.first_images, record.first_images);
  EXPECT_EQ(read.steps, record.steps);
  EXPECT_EQ(read.layers, record.layers);
  EXPECT_EQ(read.heads, record.heads);
  EXPECT_EQ(read.head_dim, record.head_dim);
  EXPECT_EQ(read.images, 2);
  ASSERT_EQ(read.arrays.size(), record.arrays.size());
  for (const auto& [name, array] : record.arrays) {
    const NamedArray& back = read.array(name);
    EXPECT_EQ(back.axes, array.axes) << name;
    EXPECT_EQ(back.unit, array.unit) << name;
    EXPECT_EQ(back.help, array.help) << name;
    EXPECT_EQ(back.parameters, array.parameters) << name;
    EXPECT_EQ(back.precision, array.precision) << name;
    const double relative = array.precision == ArrayPrecision::kHalf ? 1e-3 : 1e-7;
    ASSERT_EQ(back.values.size(), array.values.size()) << name;
    for (size_t i = 0; i < back.values.size(); ++i) {
      EXPECT_NEAR(back.values[i], array.values[i], relative * std::abs(array.values[i]) + 1e-7)
          << name << " " << i;
    }
  }
  ASSERT_FALSE(record.variances.empty());
  ASSERT_EQ(read.variances.size(), record.variances.size());
  for (const auto& [name, array] : record.variances) {
    EXPECT_EQ(read.variances.at(name).axes, array.axes) << name;
    EXPECT_EQ(read.variances.at(name).unit, array.unit) << name;
  }
  ASSERT_FALSE(record.of_images.empty());
  ASSERT_EQ(read.of_images.size(), record.of_images.size());
  for (const auto& [name, array] : record.of_images) {
    EXPECT_EQ(read.of_images.at(name).axes, array.axes) << name;
    EXPECT_NEAR(read.of_images.at(name).values.back(), array.values.back(), 1e-3) << name;
  }
  EXPECT_EQ(layer_roles(read, 2).role, layer_roles(record, 2).role);
}

std::string input_error(const path& file) {
  try {
    read_attention(file);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST(AttentionFile, DamagedAndForeignFilesAreNamed) {
  const path good = file_of_test("good.h5");
  write_attention(good, sample_record());
  const path bad = file_of_test("bad.h5");
  EXPECT_THAT(input_error(bad), HasSubstr("bad.h5"));
  std::ofstream(bad) << "not HDF5";
  EXPECT_THAT(input_error(bad), HasSubstr("bad.h5"));
  const auto whole = std::filesystem::file_size(good);
  for (const auto bytes : {whole - 1, whole / 2, whole / 7, uintmax_t{96}}) {
    std::filesystem::copy_file(good, bad, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(bad, bytes);
    EXPECT_THAT(input_error(bad), HasSubstr("bad.h5")) << bytes;
  }
  std::filesystem::copy_file(good, bad, std::filesystem::copy_options::overwrite_existing);
  std::fstream(bad, std::ios::in | std::ios::out | std::ios::binary) << "no seal";
  EXPECT_THAT(input_error(bad), HasSubstr("bytes are not those"));
  const auto changed = [&](const std::function<void(hdf5::Group&)>& change) {
    std::filesystem::copy_file(good, bad, std::filesystem::copy_options::overwrite_existing);
    {
      hdf5::File file = hdf5::File::open(bad, hdf5::File::Access::kAppend);
      change(file.root());
    }
    EXPECT_THAT(input_error(bad), HasSubstr("bytes are not those"));
    seal_file(bad);
    return input_error(bad);
  };
  EXPECT_THAT(changed([](auto& root) { root.set_attribute("schema", std::string("x")); }),
              HasSubstr("schema 'x'"));
  EXPECT_THAT(
      changed([](auto& root) { root.dataset("axes/head").append(std::vector<int64_t>{3}); }),
      HasSubstr("dimension 1 ('head') of 3 elements"));
  EXPECT_THAT(
      changed([](auto& root) { root.dataset("steps/height").append(std::vector<int64_t>{3}); }),
      HasSubstr("height"));
  EXPECT_THAT(changed([](auto& root) { root.set_attribute("layers", int64_t{2}); }),
              HasSubstr("an axis 'layer' of 3 in other order or beyond 0..1"));
  EXPECT_THAT(changed([](auto& root) { root.create_dataset("arrays/mine", {.row_shape = {4}}); }),
              AllOf(HasSubstr("arrays/mine"), HasSubstr("expected a label")));
  EXPECT_THAT(
      changed([](auto& root) {
        root.dataset("arrays/map.raw").set_attribute("parameters", std::string("{\"a\": 0.5}"));
      }),
      AllOf(HasSubstr("arrays/map.raw"), HasSubstr("JSON object of integers")));
  for (const char* place : {"variances/mass.step", "of_images/mass.step"}) {
    const std::string name = place;
    EXPECT_THAT(changed([&](auto& root) { root.create_dataset(name + "2", {.row_shape = {4}}); }),
                HasSubstr(name + "2"));
  }
  for (const char* axis : {"on_step", "image"}) {
    EXPECT_THAT(changed([&](auto& root) {
                  root.dataset(std::string("axes/") + axis).append(std::vector<int64_t>{9});
                }),
                HasSubstr(std::string("'") + axis + "'"));
  }
  EXPECT_THAT(changed([](auto& root) { root.set_attribute("images", int64_t{5}); }),
              HasSubstr("an axis 'image' of 2"));
  EXPECT_THAT(changed([](auto& root) { root.set_attribute("images", int64_t{-1}); }),
              HasSubstr("a record of -1"));
  EXPECT_THAT(changed([](auto& root) { root.set_attribute("model", int64_t{3}); }),
              HasSubstr("@model"));
  // A file without an array is a record; what needs the array says so.
  AttentionRecord bare = sample_record();
  for (auto* arrays : {&bare.arrays, &bare.variances, &bare.of_images}) {
    arrays->erase("mass.history_top");
  }
  write_attention(good, bare);
  try {
    (void)layer_roles(read_attention(good));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("--statistics mass.history_top"));
  }
}

TEST(AttentionFile, MissingPartsAndOtherAxesAreNamed) {
  const path file = file_of_test("bare.h5");
  {
    hdf5::File bare = hdf5::File::create(file);
    bare.root().set_attribute("schema", std::string("kvscope.attention"));
    bare.root().set_attribute("schema_version", int64_t{3});
  }
  EXPECT_THAT(input_error(file), AllOf(HasSubstr("bare.h5"), HasSubstr("'model'")));
  {
    hdf5::File bare = hdf5::File::open(file, hdf5::File::Access::kAppend);
    bare.root().set_attribute("model", std::string("toy"));
    bare.root().set_attribute("point", std::string());
    for (const char* name : {"images", "layers", "heads", "head_dim"}) {
      bare.root().set_attribute(name, int64_t{1});
    }
  }
  EXPECT_THAT(input_error(file), AllOf(HasSubstr("bare.h5"), HasSubstr("'prompts'")));
  AttentionRecord record = sample_record();
  record.arrays["mass.step"] = record.array("variance.query");
  record.variances.clear();
  record.of_images.clear();
  write_attention(file, record);
  EXPECT_THAT(input_error(file), AllOf(HasSubstr("arrays/mass.step: axes [layer, head], expected"),
                                       HasSubstr("on_step")));
}

// What a reader indexes by the whole is whole: shorter axes, other axes, arrays of nothing.
TEST(AttentionFile, ArraysThatDoNotFitEachOtherAreRefused) {
  const path file = file_of_test("bad.h5");
  const auto refusal = [&](const std::function<void(AttentionRecord&)>& change) {
    AttentionRecord record = sample_record();
    change(record);
    write_attention(file, record);
    return input_error(file);
  };
  EXPECT_THAT(refusal([](AttentionRecord& record) {
                for (auto* arrays : {&record.arrays, &record.variances, &record.of_images}) {
                  NamedArray& mass = arrays->at("mass.step");
                  mass.axes.back().coordinates.front().values.pop_back();
                  mass.values.resize(mass.values.size() / 4 * 3);
                }
              }),
              HasSubstr("an axis 'on_step' of 3"));
  EXPECT_THAT(refusal([](AttentionRecord& record) {
                record.variances["mass.step"] = record.variances.at("mass.history_top");
              }),
              HasSubstr("variances/mass.step"));
  EXPECT_THAT(refusal([](AttentionRecord& record) {
                record.of_images["mass.step"] = record.arrays.at("mass.step");
              }),
              HasSubstr("of_images/mass.step"));
  EXPECT_THAT(refusal([](AttentionRecord& record) { record.arrays.erase("mass.step"); }),
              HasSubstr("variances/mass.step"));
}

TEST(AttentionFile, TheSameRecordIsTheSameBytes) {
  const path first = file_of_test("first.h5");
  const path second = file_of_test("second.h5");
  write_attention(first, sample_record());
  write_attention(second, sample_record());
  const auto bytes = [](const path& file) {
    std::ifstream stream(file, std::ios::binary);
    return std::string((std::istreambuf_iterator<char>(stream)), {});
  };
  EXPECT_TRUE(bytes(first) == bytes(second));
}

TEST(AttentionFile, ArraysWithDifferentAxesOfOneNameAreRefused) {
  AttentionRecord record = sample_record();
  record.arrays["mine"] = NamedArray::zeros({ArrayAxis::counted("layer", 2)});
  EXPECT_THROW(write_attention(file_of_test("attention.h5"), record), Error);
}

// Files that the version before this layout wrote, repacked without the slack of their chunks.
class EarlierAttentionFile : public testing::TestWithParam<const char*> {};

TEST_P(EarlierAttentionFile, HoldsTheArraysOfToday) {
  const path folder = path(kSourceDir) / "tests/golden/attention_v1";
  const AttentionRecord record = read_attention(folder / (std::string(GetParam()) + ".h5"));
  const bool next_token = std::string(GetParam()) == "next_token";
  EXPECT_EQ(record.images, 2);
  EXPECT_EQ(record.prompts.size(), 2);
  EXPECT_EQ(record.is_next_token(), next_token);
  for (const RegisteredStatistic& one : attention_statistics()) {
    const StatisticInfo info = one.make({})->info();
    const bool was_kept = info.by_default || one.name == "map.raw";
    ASSERT_EQ(record.holds(one.name), was_kept && defined_for(info.models, record.steps))
        << one.name;
    if (!record.holds(one.name)) continue;
    const NamedArray& array = record.array(one.name);
    std::vector<std::string> axes;
    for (const ArrayAxis& axis : array.axes) axes.push_back(axis.name);
    EXPECT_EQ(axes, info.axes) << one.name;
    EXPECT_EQ(array.unit, info.unit) << one.name;
  }
  const NamedArray& mass = record.array("mass.step");
  const NamedArray& keys = record.array("mass.key");
  const NamedArray& raw = record.array("map.raw");
  const std::vector<int64_t> begins = step_key_begins(record.steps);
  const int64_t last = last_attending_step(record.steps);
  double sum = 0;
  for (int64_t on = 0; on <= last; ++on) sum += mass.at(1, 0, last, on);
  EXPECT_NEAR(sum, 1, 1e-4);
  sum = 0;
  for (int64_t key = 0; key < record.keys(last); ++key) sum += keys.at(1, 0, begins[last] + key);
  EXPECT_NEAR(sum, static_cast<double>(record.steps[last].queries()), 0.02);
  for (int64_t row = 0; row < raw.axes[1].size(); ++row) {
    const auto step = static_cast<size_t>(raw.axes[1].coordinates[0].values[row]);
    if (record.steps[step].kind == StepKind::kPrefill) continue;  // padding pays nothing
    double all = 0;
    for (int64_t key = 0; key < raw.axes[2].size(); ++key) all += raw.at(0, row, key);
    EXPECT_NEAR(all, 1, 5e-3) << row;
  }
  EXPECT_EQ(record.array("mass.history_top").parameter("top_keys"), 16);
  const path again = file_of_test("again.h5");
  write_attention(again, record);
  EXPECT_EQ(read_attention(again).array("map.raw").values, raw.values);
}

INSTANTIATE_TEST_SUITE_P(Models,
                         EarlierAttentionFile,
                         testing::Values("next_scale", "next_token"),
                         [](const auto& model) { return std::string(model.param); });

// Files of the version before, whose arrays had other names.
TEST(AttentionFile, ArraysOfVersionTwoHaveTheNamesOfToday) {
  const path folder = path(kSourceDir) / "tests/golden/attention_v2";
  const auto names = [&](const char* file) {
    std::vector<std::string> found;
    for (const auto& [name, array] : read_attention(folder / file).arrays) found.push_back(name);
    return found;
  };
  EXPECT_THAT(names("next_scale.h5"),
              testing::ElementsAre("entropy.window", "magnitude.hidden_channel", "mass.history_top",
                                   "mass.step", "rank.effective", "sink.all_value_norm",
                                   "sink.mass", "variance.query", "variance.window"));
  EXPECT_THAT(names("next_token.h5"),
              testing::ElementsAre("guidance.value_difference", "mass.condition", "mass.text"));
  EXPECT_TRUE(read_attention(folder / "next_scale.h5").variances.contains("mass.step"));
  EXPECT_EQ(layer_roles(read_attention(folder / "next_scale.h5"), 9).role.size(), 54);
}

TEST(AttentionFile, ArrayThatClaimsMoreThanTheFileHoldsIsNotBelieved) {
  const path file = file_of_test("attention.h5");
  write_attention(file, sample_record());
  const hid_t id = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t axis = H5Dopen2(id, "axes/layer", H5P_DEFAULT);
  const hsize_t rows = hsize_t{1} << 60;
  EXPECT_GE(H5Dset_extent(axis, &rows), 0);
  H5Dclose(axis);
  H5Fclose(id);
  seal_file(file);
  EXPECT_THAT(input_error(file), HasSubstr("claims"));
}

}  // namespace
}  // namespace kvscope
