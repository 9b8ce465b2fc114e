#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "core/text/captions/html.h"
#include "core/text/pattern.h"

namespace kvscope {
namespace {

constexpr std::array<std::string_view, 5> kSilent = {"script", "style", "template", "rt", "rp"};

// A start tag with its attributes up to ">", white space and "/" anywhere between.
constexpr const char* kStartTag =
    R"(\A<([a-zA-Z][^\t\n\r\f />\x00]*+))"
    R"((?:[\s/]*+(?:(?<=['"\s/])[^\s/>][^\s/=>]*+)"
    R"((?:\s*+=++\s*+(?:'[^']*+'|"[^"]*+"|(?!['"])[^>\s]*+))?)?)*?\s*+>)";
constexpr const char* kNumericReference = R"(\A&#([0-9]++|[xX][0-9a-fA-F]++)(?=[^0-9a-fA-F]))";
constexpr const char* kNamedReference = R"(\A&([a-zA-Z][-.a-zA-Z0-9]*+)(?=(?s:.)))";

Pattern python(const char* pattern) {
  return {pattern, PatternDialect::kPython, "html_text"};
}

class Reader {
 public:
  explicit Reader(std::string_view html) : html_(html) {}

  std::string text() {
    while (at_ < html_.size()) {
      const size_t next = std::min(html_.find_first_of("&<", at_), html_.size());
      data(next - at_);
      if (at_ == html_.size()) break;
      html_[at_] == '<' ? markup() : reference();
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string_view rest() const { return html_.substr(at_); }

  void say(std::string_view text) {
    if (silent_.empty()) out_ += text;
  }
  void data(size_t bytes) {
    say(rest().substr(0, bytes));
    at_ += std::min(bytes, html_.size() - at_);
  }

  void markup() {
    if (rest().size() > 1 && std::isalpha(static_cast<unsigned char>(rest()[1])) != 0) {
      start_tag();
    } else if (rest().starts_with("</")) {
      end_tag();
    } else if (rest().starts_with("<!--")) {
      skip_through("-->", 4);
    } else if (rest().starts_with("<![")) {
      marked_section();
    } else if (rest().starts_with("<?") || rest().starts_with("<!")) {
      skip_through(">", 2);
    } else {
      data(1);
    }
  }

  // Damaged markup is text: up to its ">", or the next "<", or the bracket alone.
  void damaged() {
    size_t end = html_.find('>', at_ + 1);
    if (end != html_.npos) return data(end + 1 - at_);
    end = html_.find('<', at_ + 1);
    data(end != html_.npos ? end - at_ : 1);
  }

  void skip_through(std::string_view end, size_t from) {
    const size_t offset = html_.find(end, at_ + from);
    if (offset == html_.npos) return damaged();
    at_ = offset + end.size();
  }

  void marked_section() {
    const size_t end = html_.find("]]>", at_ + 3);
    if (end == html_.npos) return damaged();
    std::string kind(rest().substr(3, 6));
    std::ranges::transform(kind, kind.begin(), [](unsigned char c) { return std::toupper(c); });
    if (kind == "CDATA[") say(html_.substr(at_ + 9, end - at_ - 9));
    at_ = end + 3;
  }

  void start_tag() {
    const auto tag = start_tag_.find(rest());
    if (!tag) return damaged();
    const std::string name = name_at(1);
    const bool closed = rest().substr(0, tag->end).ends_with("/>");
    at_ += tag->end;
    if (closed || std::ranges::find(kSilent, name) == kSilent.end()) return;
    silent_.push_back(name);
    if (name != "script" && name != "style") return;
    // Nothing inside these is markup.
    for (; at_ < html_.size(); ++at_) {
      if (rest().starts_with("</") && name_at(2) == name) return;
    }
  }

  void end_tag() {
    const size_t end = html_.find('>', at_ + 2);
    if (end == html_.npos) return damaged();
    const auto open = std::find(silent_.rbegin(), silent_.rend(), name_at(2));
    if (open != silent_.rend()) silent_.erase(open.base() - 1, silent_.end());
    at_ = end + 1;
  }

  // The name of the tag at the reading position, in lower case.
  [[nodiscard]] std::string name_at(size_t from) const {
    std::string name;
    for (size_t i = at_ + from; i < html_.size(); ++i) {
      const auto letter = static_cast<unsigned char>(html_[i]);
      if (std::isspace(letter) != 0 || letter == '/' || letter == '>') break;
      name += static_cast<char>(std::tolower(letter));
    }
    return name;
  }

  void reference() {
    if (const auto number = number_.find(rest())) {
      const std::string_view digits = rest().substr(2, number->end - 2);
      const bool hexadecimal = (digits[0] | 0x20) == 'x';
      uint64_t code = 0;
      for (const char digit : digits.substr(hexadecimal ? 1 : 0)) {
        const int value = digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
        code = std::min<uint64_t>(code * (hexadecimal ? 16 : 10) + static_cast<uint64_t>(value),
                                  0x110000);
      }
      say(code == 0 ? std::string(1, '\0') : html_numeric_entity(code));
      finish(number->end);
    } else if (const auto name = name_.find(rest())) {
      const std::string_view known = rest().substr(1, name->end - 1);
      const auto text = html_entity(std::string(known) + ";");
      // An unknown name loses its ";".
      say(text ? *text : rest().substr(0, name->end));
      finish(name->end);
    } else {
      data(1);
    }
  }

  void finish(size_t bytes) {
    at_ += bytes;
    if (rest().starts_with(';')) ++at_;
  }

  std::string_view html_;
  size_t at_ = 0;
  std::string out_;
  std::vector<std::string> silent_;  // open elements whose text does not count
  Pattern start_tag_ = python(kStartTag);
  Pattern number_ = python(kNumericReference);
  Pattern name_ = python(kNamedReference);
};

}  // namespace

std::string html_text(std::string_view html) {
  return Reader(html).text();
}

}  // namespace kvscope
