#include "core/npz/npy_header.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cstring>
#include <string_view>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr int64_t kMostElements = int64_t{1} << 48;

/// Reads a Python dictionary of the three keys that a header has; nothing is evaluated.
class HeaderText {
 public:
  HeaderText(std::string_view text, const std::string& origin) : text_(text), origin_(origin) {}

  NpyHeader parse() {
    NpyHeader header;
    expect('{');
    while (!at('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr") {
        header.type = quoted();
      } else if (key == "fortran_order") {
        header.fortran_order = truth();
      } else if (key == "shape") {
        header.shape = shape();
      } else {
        refuse(fmt::format("unknown key '{}'", key));
      }
      if (!at(',')) break;
      expect(',');
    }
    expect('}');
    if (header.type.empty()) refuse("no 'descr'");
    return header;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: NPY header, character {}: {}", origin_, place_, what));
  }
  void skip() {
    while (place_ < text_.size() && (text_[place_] == ' ' || text_[place_] == '\n')) ++place_;
  }
  bool at(char wanted) {
    skip();
    return place_ < text_.size() && text_[place_] == wanted;
  }
  void expect(char wanted) {
    if (!at(wanted)) refuse(fmt::format("expected '{}'", wanted));
    ++place_;
  }
  std::string quoted() {
    const char quote = at('"') ? '"' : '\'';
    expect(quote);
    const size_t end = text_.find(quote, place_);
    if (end == std::string_view::npos) refuse("a quote does not end");
    std::string value(text_.substr(place_, end - place_));
    place_ = end + 1;
    return value;
  }
  bool truth() {
    skip();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(place_).starts_with(word)) {
        place_ += word.size();
        return value;
      }
    }
    refuse("expected True or False");
  }
  std::vector<int64_t> shape() {
    std::vector<int64_t> sizes;
    expect('(');
    while (!at(')')) {
      skip();
      int64_t size = 0;
      const char* begin = text_.data() + place_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), size);
      if (error != std::errc() || size < 0) refuse("expected a size");
      place_ += static_cast<size_t>(end - begin);
      sizes.push_back(size);
      if (!at(',')) break;
      expect(',');
    }
    expect(')');
    return sizes;
  }

  std::string_view text_;
  const std::string& origin_;
  size_t place_ = 0;
};

}  // namespace

int64_t NpyHeader::elements() const {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

int64_t NpyHeader::element_bytes() const {
  if (type.size() != 3 || (type[0] != '<' && type[0] != '|')) return 0;
  if (std::string_view("fiu").find(type[1]) == std::string_view::npos) return 0;
  const int64_t bytes = type[2] - '0';
  if (bytes == 1) return type[1] == 'f' ? 0 : 1;
  return bytes == 2 || bytes == 4 || bytes == 8 ? bytes : 0;
}

std::string npy_header_text(const std::string& type, std::span<const int64_t> shape) {
  constexpr size_t kAlignment = 64;
  constexpr size_t kFixedBytes = 10;  // magic, version, length
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                 type, fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  const size_t used = kFixedBytes + text.size() + 1;
  text.append((kAlignment - used % kAlignment) % kAlignment, ' ');
  text += '\n';
  std::string header(kMagic);
  header += '\x01';
  header += '\0';
  header += static_cast<char>(text.size() & 0xff);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

NpyHeader read_npy_header(std::span<const std::byte> bytes, const std::string& origin) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::kInput, fmt::format("{}: {}", origin, what));
  };
  if (text.size() < 12 || !text.starts_with(kMagic)) refuse("no array of numpy's format NPY");
  const int version = static_cast<unsigned char>(text[6]);
  if (version < 1 || version > 3)
    refuse(fmt::format("NPY of version {}: 1 to 3 are read", version));
  const size_t length_bytes = version == 1 ? 2 : 4;
  size_t length = 0;
  for (size_t i = 0; i < length_bytes; ++i) {
    length |= static_cast<size_t>(static_cast<unsigned char>(text[8 + i])) << (8 * i);
  }
  const size_t begin = 8 + length_bytes;
  if (length > text.size() - begin) refuse("its NPY header is cut, or too long to be one");
  NpyHeader header = HeaderText(text.substr(begin, length), origin).parse();
  header.header_bytes = static_cast<int64_t>(begin + length);
  int64_t elements = 1;
  for (const int64_t size : header.shape) {
    if (size > 0 && elements > kMostElements / size) refuse("an array of more than 2^48 elements");
    elements *= size;
  }
  return header;
}

}  // namespace kvscope
