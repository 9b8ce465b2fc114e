#include "core/checkpoint/torch_zip.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/checkpoint/mapped_tensor.h"
#include "core/checkpoint/state_dict.h"
#include "tests/core/checkpoint/torch_file.h"

namespace kvscope {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

const std::string kFloats = "FloatStorage";

// A file of one float storage of `elements` and the root value `operations`.
fs::path one_storage(const std::string& test, const std::string& operations, size_t elements = 12) {
  return write_torch_file(checkpoint_folder(test) / "x.bin", operations,
                          {{"0", counting_floats(elements)}});
}

std::string float_tensor(int64_t offset,
                         const std::vector<int64_t>& sizes,
                         const std::vector<int64_t>& strides,
                         int64_t count = 12) {
  return pickle::tensor(pickle::storage(kFloats, "0", count), offset, sizes, strides);
}

std::string refusal(const fs::path& path) {
  const std::string message = input_error_of([&] { read_torch_zip(path); });
  EXPECT_THAT(message, HasSubstr(path.filename().string()));
  return message;
}

TEST(TorchZip, TensorsAreViewsOfTheirStorageWithAnyStridesThatFit) {
  const fs::path path =
      one_storage("views", pickle::dictionary({{"all", float_tensor(0, {3, 4}, {4, 1})},
                                               {"turned", float_tensor(0, {4, 3}, {1, 4})},
                                               {"inner", float_tensor(5, {2, 2}, {4, 1})},
                                               {"scalar", float_tensor(11, {}, {})},
                                               {"empty", float_tensor(99, {0, 7}, {7, 1})},
                                               {"windows", float_tensor(0, {4, 3}, {2, 1})}}));
  TensorMap map = read_torch_zip(path);
  const at::Tensor counting = at::arange(12, at::kFloat) + 0.5;
  EXPECT_THAT(map.names(), ElementsAre("all", "turned", "inner", "scalar", "empty", "windows"));
  EXPECT_TRUE(map.at("all").equal(counting.view({3, 4})));
  EXPECT_TRUE(map.at("turned").equal(counting.view({3, 4}).t()));
  EXPECT_TRUE(map.at("inner").equal(at::tensor({5.5, 6.5, 9.5, 10.5}, at::kFloat).view({2, 2})));
  EXPECT_EQ(map.at("scalar").item<float>(), 11.5F);
  EXPECT_EQ(map.at("empty").sizes(), at::IntArrayRef({0, 7}));
  EXPECT_EQ(map.at("windows")[3][2].item<float>(), 8.5F);
  // Shared storage stays shared, and the file stays as it is.
  at::Tensor all = map.at("all");
  all.fill_(7);
  EXPECT_EQ(map.at("turned").sum().item<float>(), 84);
  EXPECT_EQ(read_torch_zip(path).at("all")[0][0].item<float>(), 0.5F);
}

TEST(TorchZip, ViewsAreOfTheMapWhereTheFileAlignsThemAndCopiesWhereNot) {
  for (const size_t alignment : {size_t{64}, size_t{1}}) {
    const fs::path path = checkpoint_folder("alignment") / "x.bin";
    const std::string both =
        pickle::dictionary({{"a", float_tensor(0, {12}, {1})}, {"b", float_tensor(6, {6}, {1})}});
    write_torch_file(path, both, {{"0", counting_floats(12)}}, alignment);
    const TensorMap map = read_torch_zip(path);
    EXPECT_EQ(map.at("a").sum().item<float>(), 72);
    EXPECT_EQ(map.at("b").sum().item<float>(), 54);
    EXPECT_TRUE(map.at("a").is_alias_of(map.at("b")));
    const auto address = reinterpret_cast<uintptr_t>(map.at("a").const_data_ptr());
    EXPECT_EQ(address % 64, 0) << alignment;
  }
}

TEST(TorchZip, ReadsEveryDtypeOfStorage) {
  struct Case {
    std::string storage;
    at::Tensor values;
  };
  const at::Tensor base = at::tensor({-3, 0, 7, 100}, at::kLong);
  const std::vector<Case> cases = {{"DoubleStorage", base.to(at::kDouble)},
                                   {"FloatStorage", base.to(at::kFloat)},
                                   {"HalfStorage", base.to(at::kHalf)},
                                   {"BFloat16Storage", base.to(at::kBFloat16)},
                                   {"LongStorage", base},
                                   {"IntStorage", base.to(at::kInt)},
                                   {"ShortStorage", base.to(at::kShort)},
                                   {"CharStorage", base.to(at::kChar)},
                                   {"ByteStorage", base.abs().to(at::kByte)},
                                   {"BoolStorage", base > 0},
                                   {"ComplexFloatStorage", base.to(at::kComplexFloat)},
                                   {"ComplexDoubleStorage", base.to(at::kComplexDouble)}};
  for (const Case& one : cases) {
    const std::string bytes(static_cast<const char*>(one.values.const_data_ptr()),
                            one.values.nbytes());
    const fs::path path = write_torch_file(
        checkpoint_folder("dtypes") / "x.bin",
        pickle::dictionary(
            {{"x", pickle::tensor(pickle::storage(one.storage, "k", 4), 0, {4}, {1})}}),
        {{"k", bytes}});
    EXPECT_TRUE(read_torch_zip(path).at("x").equal(one.values)) << one.storage;
  }
}

TEST(TorchZip, FindsTheWeightsUnderEveryWrapper) {
  const std::string weights = pickle::dictionary({{"w", float_tensor(0, {2}, {1})}});
  const std::string other = pickle::dictionary({{"w", float_tensor(3, {5}, {1})}});
  const std::vector<std::string> roots = {
      weights,
      pickle::dictionary({{"optimizer", other}, {"model", weights}, {"steps", "K\x07"}}),
      pickle::dictionary({{"module", weights}, {"ema", other}}),
      pickle::dictionary({{"epoch", "N"}, {"state_dict", weights}}),
      pickle::dictionary({{"vae", weights}, {"ema", other}}),
      pickle::dictionary(
          {{"trainer", pickle::dictionary({{"gpt_ema_fsdp", other}, {"gpt_fsdp", weights}})}}),
      pickle::dictionary({{"model", pickle::dictionary({{"module", weights}})}}),
      pickle::dictionary({{"model", "}"}, {"state_dict", weights}}),
      pickle::dictionary({{"state_dict", other}, {"model", weights}}),
      pickle::dictionary({{"step", float_tensor(0, {}, {})}, {"model", weights}}),
  };
  for (size_t i = 0; i < roots.size(); ++i) {
    const TensorMap map = read_torch_zip(one_storage("wrappers", roots[i]));
    ASSERT_THAT(map.names(), ElementsAre("w")) << i;
    EXPECT_EQ(map.at("w").numel(), 2) << i;
  }
  EXPECT_THAT(refusal(one_storage("wrappers", "](" + float_tensor(0, {2}, {1}) + "e")),
              HasSubstr("holds a list; expected a dictionary"));
  EXPECT_THAT(refusal(one_storage("wrappers", pickle::dictionary({{"net", weights}}))),
              AllOf(HasSubstr("found 'net' and no tensors"), HasSubstr("state_dict")));
  EXPECT_THAT(refusal(one_storage("wrappers", "}")), HasSubstr("no keys"));
}

TEST(TorchZip, TakesWrappersOffNames) {
  const auto names = [](const std::vector<std::string>& given) {
    TensorMap map;
    for (const std::string& name : given) map.set(name, at::ones({1}));
    return without_wrappers(map).names();
  };
  EXPECT_THAT(names({"module.a.w", "module.module.b"}), ElementsAre("a.w", "module.b"));
  EXPECT_THAT(names({"_orig_mod.module.a", "_orig_mod.module.b"}), ElementsAre("a", "b"));
  EXPECT_THAT(names({"module.a", "b"}), ElementsAre("module.a", "b"));
  EXPECT_THAT(names({"layers.0._fsdp_wrapped_module.w", "block_chunks.0.module.3.w"}),
              ElementsAre("layers.0.w", "block_chunks.0.module.3.w"));
  EXPECT_THAT(names({"module.", "module.x"}), ElementsAre("module.", "module.x"));
  EXPECT_THAT(input_error_of([&] {
                names({"a._fsdp_wrapped_module.w", "a.w"});
              }),
              HasSubstr("'a.w' is there twice"));
}

TEST(TorchZip, HoldsEveryNumberAgainstTheFile) {
  const auto one = [](const std::string& tensor) {
    return refusal(one_storage("numbers", pickle::dictionary({{"w", tensor}})));
  };
  constexpr int64_t kHuge = int64_t{1} << 62;
  EXPECT_THAT(one(float_tensor(0, {13}, {1})), HasSubstr("leave its storage of 12"));
  EXPECT_THAT(one(float_tensor(1, {12}, {1})), HasSubstr("leave its storage"));
  EXPECT_THAT(one(float_tensor(0, {2, 4}, {9, 1})), HasSubstr("leave its storage"));
  EXPECT_THAT(one(float_tensor(0, {kHuge, 4}, {4, 1})), HasSubstr("leave its storage"));
  EXPECT_THAT(one(float_tensor(kHuge, {3}, {kHuge})), HasSubstr("leave its storage"));
  EXPECT_THAT(one(float_tensor(0, {kHuge, 4, 0}, {0, 0, 0})), HasSubstr("leave its storage"));
  EXPECT_THAT(one(float_tensor(0, {kHuge}, {0})), HasSubstr("repeat the 12 elements"));
  EXPECT_THAT(one(float_tensor(0, {12, int64_t{1} << 28}, {1, 0})), HasSubstr("repeat the 12"));
  EXPECT_THAT(one(float_tensor(0, {12}, {1}, 10'000)), HasSubstr("10000 elements"));
  EXPECT_THAT(one(float_tensor(0, {12}, {1}, kHuge)), HasSubstr("elements of fp32"));
  EXPECT_THAT(one(float_tensor(0, {7}, {1}, 6)), HasSubstr("storage of 6 elements"));
  EXPECT_THAT(one(pickle::tensor(pickle::storage(kFloats, "../version", 1), 0, {1}, {1})),
              HasSubstr("'archive/data/../version' is not in the archive"));
  const std::string both = pickle::dictionary(
      {{"a", float_tensor(0, {2}, {1})},
       {"b", pickle::tensor(pickle::storage("IntStorage", "0", 12), 0, {2}, {1})}});
  EXPECT_THAT(refusal(one_storage("numbers", both)), HasSubstr("used as fp32 and as int32"));
}

TEST(TorchZip, ExpandedTensorsLoadAsTheyWereSaved) {
  const std::string weights =
      pickle::dictionary({{"rows", float_tensor(2, {3, 4}, {0, 1})},
                          {"scalar", float_tensor(5, {1000, 1000}, {0, 0})},
                          {"overlapping", float_tensor(0, {5, 4}, {2, 1})}});
  const fs::path path = one_storage("expanded", weights);
  const TensorMap map = read_torch_zip(path);
  const auto first = map.at("rows")[0];
  EXPECT_TRUE(map.at("rows").equal(first.expand({3, 4})));
  EXPECT_EQ(map.at("rows").stride(0), 0);
  EXPECT_EQ(map.at("scalar").sizes(), at::IntArrayRef({1000, 1000}));
  EXPECT_EQ(map.at("scalar").min().item<float>(), map.at("scalar").max().item<float>());
  EXPECT_TRUE(
      map.at("overlapping")[1].narrow(0, 0, 2).equal(map.at("overlapping")[0].narrow(0, 2, 2)));
  const at::Tensor copied = converted(map, at::kCPU, at::kBFloat16).at("scalar");
  EXPECT_TRUE(copied.is_contiguous());
}

TEST(TorchZip, ManyNamesOfOneStorageStopBeforeTheyAddUpToAnything) {
  constexpr size_t kElements = 1 << 18;
  std::string operations =
      "}(" + pickle::text("w") + float_tensor(0, {kElements}, {1}, kElements) + "q\x01";
  for (int i = 0; i < 40; ++i) operations += pickle::text(std::to_string(i)) + "h\x01";
  EXPECT_THAT(refusal(one_storage("sharing", operations + "u", kElements)),
              HasSubstr("the file has"));
}

TEST(TorchZip, FindsItsPickleByNameAndReadsLittleEndianOnly) {
  const std::string root = pickle::whole(pickle::dictionary({{"w", float_tensor(0, {2}, {1}, 2)}}));
  const fs::path path = checkpoint_folder("root") / "x.bin";
  const auto file = [&](const std::vector<std::pair<std::string, std::string>>& entries) {
    ZipBytes zip;
    for (const auto& [name, data] : entries) zip.add(name, data);
    return write_bytes(path, zip.finish());
  };
  const std::string data = counting_floats(2);
  EXPECT_EQ(read_torch_zip(file({{"model d/data.pkl", root}, {"model d/data/0", data}})).size(), 1);
  EXPECT_EQ(read_torch_zip(file({{"data.pkl", root}, {"data/0", data}})).size(), 1);
  EXPECT_THAT(refusal(file({{"a/data.pkl", root}, {"b/data.pkl", root}})), HasSubstr("2 data.pkl"));
  EXPECT_THAT(refusal(file({{"a/data.pkl.txt", root}})), HasSubstr("0 data.pkl"));
  EXPECT_THAT(refusal(file({{"a/data.pkl", root}, {"a/data/0", data}, {"a/byteorder", "big"}})),
              HasSubstr("byte order 'big'"));
}

/// An instance of a class that TorchScript made, with these attributes.
std::string module_of(const std::vector<std::pair<std::string, std::string>>& attributes) {
  return pickle::global("__torch__.model.___torch_mangle_1", "Block") + ")\x81" +
         pickle::dictionary(attributes) + "b";
}

TEST(TorchZip, ATorchScriptArchiveHasTheTensorsOfItsModulesByDottedNames) {
  const std::string inner =
      module_of({{"weight", float_tensor(0, {2, 3}, {3, 1})}, {"training", "\x89"}});
  const std::string outer =
      module_of({{"visual", module_of({{"conv1", inner}})},
                 {"scale", float_tensor(6, {}, {})},
                 {"sizes", pickle::call(pickle::global("torch.jit._pickle", "build_intlist"),
                                        "](" + pickle::integer(3) + "e")}});
  const TensorMap tensors = read_torch_zip(one_storage("script", outer));
  EXPECT_THAT(tensors.names(), ElementsAre("visual.conv1.weight", "scale"));
  EXPECT_EQ(tensors.at("visual.conv1.weight", {2, 3})[1][0].item<float>(), 3.5);
  EXPECT_EQ(tensors.at("scale").item<float>(), 6.5);
}

TEST(TorchZip, ModulesThatHoldThemselvesAreRefused) {
  // The module's own dictionary, kept as memo entry 0, has the module in it.
  const std::string endless = pickle::global("__torch__", "M") + ")\x81q" + std::string(1, '\0') +
                              "}(" + pickle::text("again") + "h" + std::string(1, '\0') + "ub";
  EXPECT_THAT(refusal(one_storage("endless", endless)), HasSubstr("without end"));
}

}  // namespace
}  // namespace kvscope
