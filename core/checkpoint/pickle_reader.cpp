#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <limits>
#include <unordered_map>

#include "core/base/error.h"
#include "core/checkpoint/pickle_calls.h"

namespace kvscope {
namespace {

// Far above what a file of 100,000 tensors needs, and well below 1 GB in all.
constexpr size_t kMaxSteps = 8'000'000;
constexpr size_t kMaxValues = 2'000'000;
constexpr size_t kMaxItems = 8'000'000;  // of all tuples, lists and dictionaries
constexpr uint8_t kNewestProtocol = 5;

enum Operation : uint8_t {  // the names of Python's pickletools
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDuplicate = '2',
  kBinaryFloat = 'G',
  kBinaryInteger = 'J',
  kBinaryInteger1 = 'K',
  kBinaryInteger2 = 'M',
  kNone = 'N',
  kPersistentId = 'Q',
  kReduce = 'R',
  kBinaryString = 'T',
  kShortBinaryString = 'U',
  kBinaryUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinaryGet = 'h',
  kLongBinaryGet = 'j',
  kEmptyList = ']',
  kBinaryPut = 'q',
  kLongBinaryPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kEmptyDictionary = '}',
  kBinaryBytes = 'B',
  kShortBinaryBytes = 'C',
  kProtocol = 0x80,
  kNewObject = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kLong4 = 0x8b,
  kShortBinaryUnicode = 0x8c,
  kBinaryUnicode8 = 0x8d,
  kBinaryBytes8 = 0x8e,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kNewObjectKeywords = 0x92,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
  kByteArray8 = 0x96,
};

// A two's complement integer of 0 to 8 bytes.
int64_t small_integer(std::string_view bytes) {
  uint64_t value = 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  const size_t bits = 8 * bytes.size();
  if (bits == 0 || bits == 64) return static_cast<int64_t>(value);
  const uint64_t sign = uint64_t{1} << (bits - 1);
  return static_cast<int64_t>((value ^ sign) - sign);
}

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& place)
      : bytes_(reinterpret_cast<const char*>(bytes.data()), bytes.size()), place_(place) {}

  PickleData read() {
    for (size_t steps = 0; steps < kMaxSteps; ++steps) {
      operation_at_ = next_;
      const auto operation = static_cast<Operation>(number<uint8_t>());
      if (operation == kStop) {
        data_.root = pop();
        return std::move(data_);
      }
      step(operation);
    }
    refuse(fmt::format("more than {} steps", kMaxSteps));
  }

 private:
  [[nodiscard]] std::string where() const {
    return fmt::format("{}: pickle, byte {}: ", place_, operation_at_);
  }
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorKind::kInput, where() + what);
  }

  std::string_view take(uint64_t length) {
    if (bytes_.size() - next_ < length) {
      refuse(bytes_.empty() ? "it has no bytes" : "it ends before its STOP (truncated?)");
    }
    const std::string_view taken = bytes_.substr(next_, length);
    next_ += length;
    return taken;
  }
  template <typename T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string_view line() {
    const size_t end = bytes_.find('\n', next_);
    if (end == bytes_.npos) refuse("a name without an end");
    const std::string_view text = take(end - next_);
    ++next_;
    return text;
  }

  void push(PickleValue value) {
    items_ += value.items.size();
    if (data_.values.size() == kMaxValues || items_ > kMaxItems) {
      refuse(fmt::format("more than {} values or {} items of them", kMaxValues, kMaxItems));
    }
    data_.values.push_back(std::move(value));
    stack_.push_back(static_cast<PickleHandle>(data_.values.size() - 1));
  }
  void push(PickleKind kind, int64_t number = 0) { push({.kind = kind, .number = number}); }
  void push_text(std::string_view text) { push({.kind = PickleKind::kText, .text = text}); }
  void push_opaque() { push(PickleKind::kOpaque); }

  // The stack ends at the last mark for everything but the operations that take the mark.
  [[nodiscard]] size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  PickleHandle top() const {
    if (stack_.size() <= floor()) refuse("takes a value where there is none");
    return stack_.back();
  }
  PickleHandle pop() {
    const PickleHandle handle = top();
    stack_.pop_back();
    return handle;
  }
  std::vector<PickleHandle> pop_to_mark() {
    if (marks_.empty()) refuse("goes back to a mark where there is none");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickleHandle> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }

  void push_tuple(size_t count) {
    PickleValue tuple{.kind = PickleKind::kTuple, .items = std::vector<PickleHandle>(count)};
    for (size_t i = count; i-- > 0;) tuple.items[i] = pop();
    push(std::move(tuple));
  }

  // Items for the container on top; a container of a class that is not known holds nothing.
  void add_items(const std::vector<PickleHandle>& items, PickleKind kind) {
    PickleValue& container = data_.values[top()];
    if (container.kind == PickleKind::kOpaque) return;
    if (container.kind != kind) {
      refuse(fmt::format("puts items into {}, expected {}", kind_name(container.kind),
                         kind_name(kind)));
    }
    if (kind == PickleKind::kDictionary && items.size() % 2 != 0) {
      refuse("a dictionary's items are keys and values, found an odd number");
    }
    items_ += items.size();
    if (items_ > kMaxItems) refuse(fmt::format("more than {} items", kMaxItems));
    container.items.insert(container.items.end(), items.begin(), items.end());
  }

  void remember(uint32_t index) {
    memo_[index] = top();
    if (memo_.size() > kMaxValues) refuse(fmt::format("more than {} memo entries", kMaxValues));
  }
  void recall(uint32_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) refuse(fmt::format("takes memo entry {}, which is not set", index));
    stack_.push_back(found->second);
  }

  void push_long(uint64_t length) {
    const std::string_view bytes = take(length);
    if (bytes.size() > sizeof(int64_t)) return push_opaque();  // wider than any number we need
    push(PickleKind::kInteger, small_integer(bytes));
  }

  void push_stack_global() {
    const PickleValue& name = data_.at(pop());
    const PickleValue& module = data_.at(pop());
    if (name.kind != PickleKind::kText || module.kind != PickleKind::kText) {
      refuse("a global is named by two strings");
    }
    push(PickleCalls(data_).global(module.text, name.text, where()));
  }

  void build() {
    const PickleHandle state = pop();
    const PickleKind kind = data_.at(top()).kind;
    if (kind == PickleKind::kModule) {  // the attributes, parameters and submodules among them
      if (data_.at(state).kind == PickleKind::kDictionary) {
        data_.values[top()].items = data_.at(state).items;
      }
      return;
    }
    // Of anything else attributes, none of which a weight depends on.
    if (kind != PickleKind::kOpaque && kind != PickleKind::kDictionary &&
        kind != PickleKind::kTensor) {
      refuse(fmt::format("sets the state of {}", kind_name(kind)));
    }
  }

  void step(Operation operation);

  std::string_view bytes_;
  std::string place_;
  size_t next_ = 0;
  size_t operation_at_ = 0;
  PickleData data_;
  size_t items_ = 0;
  std::vector<PickleHandle> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint32_t, PickleHandle> memo_;
};

void Reader::step(Operation operation) {
  switch (operation) {
    case kProtocol: {
      const auto protocol = number<uint8_t>();
      if (protocol > kNewestProtocol) refuse(fmt::format("unknown protocol {}", protocol));
      return;
    }
    case kFrame:
      number<uint64_t>();  // only a hint of how much to read ahead
      return;
    case kMark:
      return marks_.push_back(stack_.size());
    case kPop:
      if (!marks_.empty() && stack_.size() == marks_.back()) {
        marks_.pop_back();
      } else {
        pop();
      }
      return;
    case kPopMark:
      pop_to_mark();
      return;
    case kDuplicate:
      return stack_.push_back(top());

    case kNone:
      return push(PickleKind::kNone);
    case kNewTrue:
      return push(PickleKind::kBool, 1);
    case kNewFalse:
      return push(PickleKind::kBool, 0);
    case kBinaryInteger:
      return push(PickleKind::kInteger, number<int32_t>());
    case kBinaryInteger1:
      return push(PickleKind::kInteger, number<uint8_t>());
    case kBinaryInteger2:
      return push(PickleKind::kInteger, number<uint16_t>());
    case kLong1:
      return push_long(number<uint8_t>());
    case kLong4:
      return push_long(number<uint32_t>());
    case kBinaryFloat:
      take(sizeof(double));
      return push_opaque();
    case kBinaryUnicode:
      return push_text(take(number<uint32_t>()));
    case kShortBinaryUnicode:
      return push_text(take(number<uint8_t>()));
    case kBinaryUnicode8:
      return push_text(take(number<uint64_t>()));
    case kShortBinaryString:  // Python 2's str
      return push_text(take(number<uint8_t>()));
    case kBinaryString:
      return push_text(take(number<uint32_t>()));
    case kShortBinaryBytes:
      take(number<uint8_t>());
      return push_opaque();
    case kBinaryBytes:
      take(number<uint32_t>());
      return push_opaque();
    case kBinaryBytes8:
    case kByteArray8:
      take(number<uint64_t>());
      return push_opaque();

    case kEmptyTuple:
      return push(PickleKind::kTuple);
    case kTuple1:
      return push_tuple(1);
    case kTuple2:
      return push_tuple(2);
    case kTuple3:
      return push_tuple(3);
    case kTuple:
      return push({.kind = PickleKind::kTuple, .items = pop_to_mark()});
    case kEmptyList:
    case kEmptySet:
      return push(PickleKind::kList);
    case kFrozenSet:
      return push({.kind = PickleKind::kList, .items = pop_to_mark()});
    case kEmptyDictionary:
      return push(PickleKind::kDictionary);
    case kAppend:
      return add_items({pop()}, PickleKind::kList);
    case kAppends:
    case kAddItems:
      return add_items(pop_to_mark(), PickleKind::kList);
    case kSetItem: {
      const PickleHandle value = pop();
      const PickleHandle key = pop();
      return add_items({key, value}, PickleKind::kDictionary);
    }
    case kSetItems:
      return add_items(pop_to_mark(), PickleKind::kDictionary);

    case kBinaryPut:
      return remember(number<uint8_t>());
    case kLongBinaryPut:
      return remember(number<uint32_t>());
    case kMemoize:
      return remember(static_cast<uint32_t>(memo_.size()));
    case kBinaryGet:
      return recall(number<uint8_t>());
    case kLongBinaryGet:
      return recall(number<uint32_t>());

    case kGlobal: {
      const std::string_view module = line();
      return push(PickleCalls(data_).global(module, line(), where()));
    }
    case kStackGlobal:
      return push_stack_global();
    case kReduce: {
      const PickleHandle arguments = pop();
      const PickleHandle callable = pop();
      return push(PickleCalls(data_).call(data_.at(callable), data_.at(arguments), where()));
    }
    case kNewObjectKeywords:
      pop();  // keyword arguments
      [[fallthrough]];
    case kNewObject: {
      const PickleHandle arguments = pop();
      const PickleHandle type = pop();
      return push(PickleCalls(data_).instance(data_.at(type), data_.at(arguments), where()));
    }
    case kBuild:
      return build();
    case kPersistentId:
      return push(PickleCalls(data_).storage(data_.at(pop()), where()));
    default:
      refuse(fmt::format("operation {:#04x} is none that torch.save writes", int{operation}));
  }
}

}  // namespace

PickleData read_pickle(std::span<const std::byte> bytes, const std::string& place) {
  return Reader(bytes, place).read();
}

}  // namespace kvscope
