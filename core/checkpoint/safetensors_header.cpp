#include "core/checkpoint/safetensors_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "core/base/dtype_name.h"
#include "core/base/error.h"
#include "core/base/json_finding.h"

namespace kvscope {
namespace {

constexpr std::array<std::pair<std::string_view, at::ScalarType>, 19> kDtypes{{
    {"F64", at::kDouble},
    {"F32", at::kFloat},
    {"F16", at::kHalf},
    {"BF16", at::kBFloat16},
    {"I64", at::kLong},
    {"I32", at::kInt},
    {"I16", at::kShort},
    {"I8", at::kChar},
    {"U8", at::kByte},
    {"BOOL", at::kBool},
    {"U16", at::kUInt16},
    {"U32", at::kUInt32},
    {"U64", at::kUInt64},
    {"F8_E4M3", at::kFloat8_e4m3fn},
    {"F8_E5M2", at::kFloat8_e5m2},
    {"C64", at::kComplexFloat},
    {"F8_E4M3FNUZ", at::kFloat8_e4m3fnuz},
    {"F8_E5M2FNUZ", at::kFloat8_e5m2fnuz},
    {"F8_E8M0", at::kFloat8_e8m0fnu},
}};
// Bits of an element of what LibTorch has no type for: read as the bytes it lies in.
constexpr std::array<std::pair<std::string_view, int64_t>, 3> kPackedDtypes{
    {{"F4", 4}, {"F6_E2M3", 6}, {"F6_E3M2", 6}}};
constexpr std::string_view kMetadataKey = "__metadata__";
constexpr size_t kMaxDimensions = 64;

// Reads the header as a stream of events, so nesting beyond the format's three levels is refused at
// the first bracket too many, before anything is built from it.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(std::string file) : file_(std::move(file)) {}

  SafetensorsHeader take() { return std::move(header_); }

  bool start_object(std::size_t) override {
    if (place_ == Place::kOutside) return go(Place::kTop);
    if (place_ != Place::kTop) refuse("an unexpected object");
    if (name_ == kMetadataKey) return go(Place::kMetadata);
    entry_ = SafetensorsEntry{};
    entry_.name = name_;
    fields_.clear();
    return go(Place::kEntry);
  }

  bool end_object() override {
    if (place_ == Place::kTop) return go(Place::kOutside);
    if (place_ == Place::kEntry) {
      for (const char* field : {"dtype", "shape", "data_offsets"}) {
        if (!fields_.contains(field)) refuse(fmt::format("field '{}' is missing", field));
      }
      if (offsets_.size() != 2) refuse("data_offsets must be two numbers");
      entry_.begin_byte = offsets_[0];
      entry_.end_byte = offsets_[1];
      header_.entries.push_back(std::move(entry_));
    }
    return go(Place::kTop);
  }

  bool key(string_t& key) override {
    if (place_ == Place::kTop) {
      name_ = key;
      if (!names_.insert(key).second) refuse("the name occurs twice");
    } else if (place_ == Place::kMetadata) {
      metadata_key_ = key;
      if (header_.metadata.contains(key)) refuse(fmt::format("key '{}' occurs twice", key));
    } else {
      if (key != "dtype" && key != "shape" && key != "data_offsets") {
        refuse(fmt::format("unknown field '{}'; known: dtype, shape, data_offsets", key));
      }
      if (!fields_.insert(key).second) refuse(fmt::format("field '{}' occurs twice", key));
      field_ = key;
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::kEntry || field_ == "dtype") refuse("an unexpected array");
    if (field_ == "data_offsets") offsets_.clear();
    return go(Place::kNumbers);
  }

  bool end_array() override { return go(Place::kEntry); }

  bool string(string_t& value) override {
    if (place_ == Place::kMetadata) {
      header_.metadata.emplace(metadata_key_, value);
      return true;
    }
    if (place_ != Place::kEntry || field_ != "dtype") refuse("an unexpected string");
    const auto packed = std::ranges::find(kPackedDtypes, std::string_view(value),
                                          [](const auto& pair) { return pair.first; });
    if (packed != kPackedDtypes.end()) {
      entry_.dtype = at::kBits8;
      entry_.packed_bits = packed->second;
      return true;
    }
    const auto known = std::ranges::find(kDtypes, std::string_view(value),
                                         [](const auto& pair) { return pair.first; });
    if (known == kDtypes.end()) {
      std::vector<std::string> names;
      for (const auto& [name, type] : kDtypes) names.emplace_back(name);
      refuse(fmt::format("unknown dtype '{}'. {}", value, suggestion(value, names)));
    }
    entry_.dtype = known->second;
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ != Place::kNumbers) refuse("an unexpected number");
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      refuse(fmt::format("{} in '{}' does not fit 63 bits", value, field_));
    }
    std::vector<int64_t>& numbers = field_ == "shape" ? entry_.shape : offsets_;
    if (numbers.size() == kMaxDimensions) {
      refuse(fmt::format("more than {} numbers in '{}'", kMaxDimensions, field_));
    }
    numbers.push_back(static_cast<int64_t>(value));
    return true;
  }

  bool number_integer(number_integer_t value) override {
    refuse(fmt::format("negative number {}", value));
  }
  bool number_float(number_float_t, const string_t& text) override {
    refuse(fmt::format("number {} is not an integer", text));
  }
  bool null() override { refuse("an unexpected null"); }
  bool boolean(bool) override { refuse("an unexpected boolean"); }
  bool binary(binary_t&) override { refuse("unexpected binary data"); }
  bool parse_error(std::size_t byte,
                   const std::string&,
                   const nlohmann::json::exception& error) override {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: safetensors header, byte {}: not valid JSON: {}", file_, 8 + byte,
                            json_finding(error)));
  }

 private:
  enum class Place { kOutside, kTop, kMetadata, kEntry, kNumbers };

  bool go(Place place) {
    place_ = place;
    return true;
  }

  [[noreturn]] void refuse(const std::string& what) const {
    const std::string where =
        place_ == Place::kOutside ? "expected a JSON object" : fmt::format("'{}'", name_);
    throw Error(ErrorKind::kInput,
                fmt::format("{}: safetensors header, {}: {}", file_, where, what));
  }

  std::string file_;
  SafetensorsHeader header_;
  std::set<std::string, std::less<>> names_;
  std::set<std::string, std::less<>> fields_;  // seen in the entry being read
  Place place_ = Place::kOutside;
  std::string name_;
  std::string metadata_key_;
  std::string field_;
  SafetensorsEntry entry_;
  std::vector<int64_t> offsets_;
};

// Bytes of the tensor, or nullopt where they do not fit 63 bits.
std::optional<int64_t> size_bytes(const SafetensorsEntry& entry) {
  const bool packed = entry.packed_bits > 0;
  // Of what is packed, first the bits.
  auto bytes = packed ? entry.packed_bits : static_cast<int64_t>(c10::elementSize(entry.dtype));
  bool empty = false;  // the other dimensions of an empty tensor must not overflow either
  for (const int64_t dimension : entry.shape) {
    empty = empty || dimension == 0;
    if (dimension != 0 && __builtin_mul_overflow(bytes, dimension, &bytes)) return std::nullopt;
  }
  if (empty) return 0;
  return packed ? bytes / 8 + (bytes % 8 == 0 ? 0 : 1) : bytes;
}

void check_layout(const SafetensorsHeader& header, int64_t data_bytes, const std::string& file) {
  std::vector<const SafetensorsEntry*> ordered;
  for (const SafetensorsEntry& entry : header.entries) ordered.push_back(&entry);
  std::ranges::sort(ordered, {}, [](const SafetensorsEntry* entry) {
    return std::pair(entry->begin_byte, entry->end_byte);
  });
  int64_t expected_begin = 0;
  for (const SafetensorsEntry* entry : ordered) {
    const auto refuse = [&](const std::string& what) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: tensor '{}' at bytes [{}, {}) of the data: {}", file,
                              entry->name, entry->begin_byte, entry->end_byte, what));
    };
    if (entry->end_byte < entry->begin_byte) refuse("it ends before it begins");
    if (entry->end_byte > data_bytes) {
      refuse(fmt::format("the file holds only {} bytes of data (truncated?)", data_bytes));
    }
    if (entry->begin_byte != expected_begin) {
      refuse(fmt::format("expected it to begin at {}: tensors overlap or leave a hole",
                         expected_begin));
    }
    const std::optional<int64_t> bytes = size_bytes(*entry);
    if (!bytes) refuse("its number of elements overflows");
    if (*bytes != entry->end_byte - entry->begin_byte) {
      refuse(fmt::format("its dtype and shape need {} bytes", *bytes));
    }
    expected_begin = entry->end_byte;
  }
  if (expected_begin != data_bytes) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: the last {} bytes of the data belong to no tensor", file,
                            data_bytes - expected_begin));
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json,
                                           int64_t data_bytes,
                                           const std::string& file) {
  // The JSON library would pass over a byte order mark and blanks; the format has neither.
  if (!json.starts_with('{')) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}: the header does not begin with '{{'{}", file,
                    json.starts_with("\xEF\xBB\xBF") ? ", but with a byte order mark" : ""));
  }
  HeaderReader reader(file);
  nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
  SafetensorsHeader header = reader.take();
  check_layout(header, data_bytes, file);
  for (SafetensorsEntry& entry : header.entries) {
    if (entry.packed_bits > 0) entry.shape = {entry.end_byte - entry.begin_byte};
  }
  return header;
}

std::string format_safetensors_header(const SafetensorsHeader& header) {
  try {
    std::string json = "{";
    const auto separate = [&json] {
      if (json.size() > 1) json += ",";
    };
    const auto quoted = [](std::string_view text) { return nlohmann::json(text).dump(); };
    if (!header.metadata.empty()) {
      json += fmt::format("\"{}\":{}", kMetadataKey, nlohmann::json(header.metadata).dump());
    }
    for (const SafetensorsEntry& entry : header.entries) {
      const auto known =
          std::ranges::find(kDtypes, entry.dtype, [](const auto& pair) { return pair.second; });
      if (known == kDtypes.end()) {
        throw Error(ErrorKind::kInput, fmt::format("tensor '{}': dtype {} has no safetensors name",
                                                   entry.name, dtype_name(entry.dtype)));
      }
      separate();
      json += fmt::format(R"({}:{{"dtype":"{}","shape":{},"data_offsets":[{},{}]}})",
                          quoted(entry.name), known->first, nlohmann::json(entry.shape).dump(),
                          entry.begin_byte, entry.end_byte);
    }
    json += "}";
    json.append((8 - json.size() % 8) % 8, ' ');
    return json;
  } catch (const nlohmann::json::type_error& error) {
    throw Error(ErrorKind::kInput, fmt::format("a tensor name or metadata entry is not UTF-8: {}",
                                               json_finding(error)));
  }
}

}  // namespace kvscope
