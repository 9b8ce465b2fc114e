#include "core/base/foreign_file.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace kvscope {
namespace {

using std::string_view_literals::operator""sv;

struct Beginning {
  std::string_view bytes;
  const char* what;
};

constexpr std::array kBeginnings = std::to_array<Beginning>({
    {"version https://git-lfs.github.com/spec/"sv,
     "a pointer of Git LFS and not the file itself; git lfs pull fetches it"},
    {"/annex/objects/"sv,
     "a pointer of git-annex and not the file itself; git annex get fetches it"},
    {"\x1f\x8b"sv, "compressed with gzip; gunzip unpacks it"},
    {"BZh"sv, "compressed with bzip2; bunzip2 unpacks it"},
    {"\xfd\x37zXZ\0"sv, "compressed with xz; unxz unpacks it"},
    {"\x28\xb5\x2f\xfd"sv, "compressed with Zstandard; unzstd unpacks it"},
    {"7z\xbc\xaf\x27\x1c"sv, "a 7z archive; 7z x unpacks it"},
    {"Rar!\x1a\x07"sv, "a RAR archive; unrar x unpacks it"},
    {"\x89HDF\r\n\x1a\n"sv, "an HDF5 file"},
    {"GGUF"sv, "a GGUF file, as llama.cpp reads it; expected the published tensors it was made of"},
    {"\x93NUMPY"sv, "a NumPy array"},
    {"\x89PNG\r\n\x1a\n"sv, "a PNG image"},
    {"\xff\xd8\xff"sv, "a JPEG image"},
    {"%PDF-"sv, "a PDF document"},
});

/// Whether it begins as HTML or XML does, which servers send instead of a file.
bool is_page(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t\r\n");
  if (start == text.npos) return false;
  std::string head(text.substr(start, 16));
  std::ranges::transform(head, head.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return head.starts_with("<!doctype") || head.starts_with("<html") || head.starts_with("<head") ||
         head.starts_with("<?xml");
}

}  // namespace

std::string foreign_file(std::span<const std::byte> bytes) {
  constexpr size_t kTarMark = 257;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const Beginning& beginning : kBeginnings) {
    if (text.starts_with(beginning.bytes)) return beginning.what;
  }
  if (text.size() > kTarMark && text.substr(kTarMark).starts_with("ustar")) {
    return "a tar archive; tar -xf unpacks it";
  }
  if (is_page(text)) {
    return "a web page, as servers send where a file needs a login or has another address; "
           "download "
           "the file itself";
  }
  return "";
}

}  // namespace kvscope
