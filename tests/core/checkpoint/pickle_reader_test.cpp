#include "core/checkpoint/pickle_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/checkpoint/pickle_data.h"
#include "tests/core/checkpoint/torch_file.h"

namespace kvscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The bytes live as long as the data that points into them.
struct Read {
  std::string bytes;
  PickleData data;
  [[nodiscard]] const PickleValue& root() const { return data.at(data.root); }
};

Read read(const std::string& operations) {
  Read result{.bytes = pickle::whole(operations), .data = {}};
  result.data = read_pickle(std::as_bytes(std::span(result.bytes)), "probe");
  return result;
}

std::string refusal(const std::string& operations) {
  return input_error_of([&] { read(operations); });
}

TEST(PickleReader, ReadsPlainValues) {
  const Read numbers =
      read(pickle::tuple(pickle::integer(-3) + "K\xff" + "M\xff\xff" + "\x8a\x01\x80" +
                         std::string("\x8a\x00", 2) + pickle::integer(INT64_MIN) + "\x88" + "N"));
  const PickleValue& tuple = numbers.root();
  ASSERT_EQ(tuple.kind, PickleKind::kTuple);
  std::vector<int64_t> values;
  for (const PickleHandle item : tuple.items) values.push_back(numbers.data.at(item).number);
  EXPECT_THAT(values, ElementsAre(-3, 255, 65535, -128, 0, INT64_MIN, 1, 0));
  EXPECT_EQ(numbers.data.at(tuple.items[6]).kind, PickleKind::kBool);
  EXPECT_EQ(numbers.data.at(tuple.items[7]).kind, PickleKind::kNone);

  const Read nested = read(pickle::dictionary(
      {{"k", "](" + pickle::integer(1) + pickle::integer(2) + "e"}, {"k", pickle::text("last")}}));
  EXPECT_EQ(nested.data.find(nested.root(), "k")->text, "last");
  EXPECT_EQ(nested.data.find(nested.root(), "x"), nullptr);
}

TEST(PickleReader, MemoIsSharedAndCyclesCostNothing) {
  const Read cycle = read(std::string("]q\x05h\x05") + "a");
  EXPECT_EQ(cycle.root().kind, PickleKind::kList);
  EXPECT_THAT(cycle.root().items, ElementsAre(cycle.data.root));
}

TEST(PickleReader, DescribesTensorsAndParameters) {
  const std::string tensor =
      pickle::tensor(pickle::storage("BFloat16Storage", "7", 24), 3, {2, 5}, {5, 1});
  for (const std::string& operations :
       {tensor,
        pickle::call(pickle::global("torch._utils", "_rebuild_parameter"),
                     tensor + "\x88" + pickle::ordered_dict()),
        pickle::call(pickle::global("torch._tensor", "_rebuild_from_type_v2"),
                     pickle::global("torch._utils", "_rebuild_tensor_v2") +
                         pickle::global("torch.nn.parameter", "Parameter") +
                         pickle::tuple(pickle::storage("BFloat16Storage", "7", 24) +
                                       pickle::integer(3) + pickle::integers({2, 5}) +
                                       pickle::call(pickle::global("torch", "Size"),
                                                    pickle::integers({5, 1})) +
                                       "\x89" + pickle::ordered_dict()) +
                         "}")}) {
    const Read one = read(operations);
    ASSERT_EQ(one.root().kind, PickleKind::kTensor);
    const PickleTensor& found = one.data.tensors.at(static_cast<size_t>(one.root().number));
    EXPECT_EQ(found.dtype, at::kBFloat16);
    EXPECT_EQ(found.offset, 3);
    EXPECT_THAT(found.sizes, ElementsAre(2, 5));
    EXPECT_THAT(found.strides, ElementsAre(5, 1));
    EXPECT_EQ(one.data.storages.at(found.storage).key, "7");
    EXPECT_EQ(one.data.storages.at(found.storage).count, 24);
  }
  const Read narrow = read(pickle::call(
      pickle::global("torch._utils", "_rebuild_tensor_v3"),
      pickle::tuple(pickle::text("storage") + pickle::global("torch.storage", "UntypedStorage") +
                    pickle::text("0") + pickle::text("cpu") + pickle::integer(6)) +
          "Q" + pickle::integer(0) + pickle::integers({6}) + pickle::integers({1}) + "\x89" +
          pickle::ordered_dict() + pickle::global("torch", "float8_e4m3fn")));
  EXPECT_EQ(narrow.data.tensors.at(0).dtype, at::kFloat8_e4m3fn);
}

TEST(PickleReader, InstancesOfUnknownClassesHoldNothing) {
  const std::string state = pickle::dictionary({{"lr", "G" + std::string(8, '\x3f')}});
  const Read space = read(pickle::global("argparse", "Namespace") + ")\x81" + state + "b");
  EXPECT_EQ(space.root().kind, PickleKind::kOpaque);
  const Read subclass =
      read(pickle::global("easydict", "EasyDict") + ")\x81(" + pickle::text("k") + "Nu" + "Nb");
  EXPECT_EQ(subclass.root().kind, PickleKind::kOpaque);
  EXPECT_TRUE(subclass.root().items.empty());
  EXPECT_EQ(read(pickle::call(pickle::global("torch", "device"), pickle::text("cuda"))).root().kind,
            PickleKind::kOpaque);
  EXPECT_EQ(
      read(pickle::call(pickle::global("pathlib", "PosixPath"), pickle::text("/x"))).root().kind,
      PickleKind::kOpaque);
}

TEST(PickleReader, NeverCallsAndSaysWhatWasAskedFor) {
  EXPECT_THAT(refusal(pickle::call(pickle::global("posix", "system"), pickle::text("true"))),
              HasSubstr("'posix.system'"));
  EXPECT_THAT(refusal(pickle::global("os.path", "join") + ")\x81"), HasSubstr("'os.path.join'"));
  EXPECT_THAT(refusal(pickle::global("builtins", "eval")), HasSubstr("'builtins.eval'"));
  EXPECT_THAT(refusal(pickle::global("__builtin__", "getattr")), HasSubstr("getattr"));
  EXPECT_THAT(refusal(pickle::call(pickle::global("webbrowser", "open"), pickle::text("x"))),
              HasSubstr("asks to call 'webbrowser.open', which is never done"));
  EXPECT_THAT(refusal(pickle::call(pickle::text("print"), "")), HasSubstr("call a string"));
  EXPECT_THAT(refusal("(iposix\nsystem\n"), HasSubstr("operation 0x69"));
  EXPECT_THAT(refusal("(" + pickle::global("a", "b") + "o"), HasSubstr("operation 0x6f"));
  EXPECT_THAT(refusal("Pstorage\n"), HasSubstr("operation 0x50"));
  const std::string own = pickle::global("torch._tensor", "_rebuild_from_type_v2");
  EXPECT_THAT(refusal(pickle::call(own, own + "N" + pickle::tuple("") + "N")),
              HasSubstr("rebuilt of itself"));
}

TEST(PickleReader, RefusesMalformedTensors) {
  const std::string storage = pickle::storage("FloatStorage", "0", 4);
  EXPECT_THAT(refusal(pickle::tensor(storage, -1, {1}, {1})), HasSubstr("offset -1"));
  EXPECT_THAT(refusal(pickle::tensor(storage, 0, {2, 2}, {1})), HasSubstr("2 sizes and 1 strides"));
  EXPECT_THAT(refusal(pickle::tensor(storage, 0, {-2}, {1})), HasSubstr("found -2"));
  EXPECT_THAT(refusal(pickle::tensor(storage, 0, {2}, {-1})), HasSubstr("found -1"));
  EXPECT_THAT(refusal(pickle::tensor("N", 0, {2}, {1})), HasSubstr("a storage as argument 0"));
  EXPECT_THAT(
      refusal(pickle::tensor(storage, 0, std::vector<int64_t>(17, 1), std::vector<int64_t>(17, 1))),
      HasSubstr("17 dimensions"));
  EXPECT_THAT(refusal(pickle::storage("FloatStorage", "0", -4)), HasSubstr("-4 elements"));
  EXPECT_THAT(refusal(pickle::storage("QInt8Storage", "0", 4)), HasSubstr("torch.QInt8Storage"));
  EXPECT_THAT(refusal(pickle::tuple(pickle::text("module")) + "Q"), HasSubstr("nothing else"));
  EXPECT_THAT(refusal("NQ"), HasSubstr("a persistent id is a tuple"));
  const std::string turned =
      pickle::call(pickle::global("torch._utils", "_rebuild_tensor_v2"),
                   storage + pickle::integer(0) + pickle::integers({4}) + pickle::integers({1}) +
                       "\x89" + pickle::ordered_dict() + pickle::dictionary({{"neg", "\x88"}}));
  EXPECT_THAT(refusal(turned), HasSubstr("negative bit"));
}

TEST(PickleReader, RefusesBrokenPrograms) {
  EXPECT_THAT(refusal(""), HasSubstr("takes a value where there is none"));
  EXPECT_THAT(refusal("t"), HasSubstr("mark where there is none"));
  EXPECT_THAT(refusal("N(a"), HasSubstr("takes a value"));
  EXPECT_THAT(refusal("h\x01"), HasSubstr("memo entry 1"));
  EXPECT_THAT(refusal(")" + pickle::integer(1) + "a"), HasSubstr("items into a tuple"));
  EXPECT_THAT(refusal("}(Nu"), HasSubstr("odd number"));
  EXPECT_THAT(refusal("NNb"), HasSubstr("state of None"));
  EXPECT_THAT(refusal("NN\x93"), HasSubstr("two strings"));
  EXPECT_THAT(refusal("cposix"), HasSubstr("name without an end"));
  EXPECT_THAT(refusal("\xff"), HasSubstr("0xff"));
  EXPECT_THAT(refusal("X" + raw(0xffffffffU)), HasSubstr("ends before its STOP"));
  EXPECT_THAT(refusal("\x8d" + raw(~uint64_t{0})), HasSubstr("ends before its STOP"));
  EXPECT_THAT(input_error_of([] { read_pickle({}, "probe"); }), HasSubstr("it has no bytes"));
  EXPECT_THAT(input_error_of([] {
                const std::string newer("\x80\x06N.", 4);
                read_pickle(std::as_bytes(std::span(newer)), "probe");
              }),
              HasSubstr("protocol 6"));
}

TEST(PickleReader, MemoryStaysBelowALimitWhateverThePickleSays) {
  EXPECT_THAT(refusal(std::string(9'000'000, '(')), HasSubstr("steps"));
  EXPECT_THAT(refusal(std::string(3'000'000, '}')), HasSubstr("values"));
  // One list of 300,000 items, made into a dictionary over and over: 3 bytes a copy.
  std::string copies = pickle::global("collections", "OrderedDict") + "q\x01(](";
  for (int i = 0; i < 300'000; ++i) copies += "h\x02";
  std::string pair = pickle::tuple("NN") + "q\x02";
  copies = pair + copies + "etq\x03";
  for (int i = 0; i < 100; ++i) copies += "h\x01h\x03R";
  EXPECT_THAT(refusal(copies), HasSubstr("items"));
}

}  // namespace
}  // namespace kvscope
