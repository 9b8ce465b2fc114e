#include "core/hdf5/seal.h"

#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/base/sha256.h"

namespace kvscope {
namespace {

constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
constexpr std::string_view kSealWords = "kvscope result, sha256 of what follows byte 512: ";

std::string seal_text(const MappedFile& file) {
  Sha256 digest;
  digest.update(file.data() + kSealBytes, static_cast<size_t>(file.size_bytes() - kSealBytes));
  return std::string(kSealWords) + digest.hex_digest() + "\n";
}

}  // namespace

void seal_file(const std::filesystem::path& path) {
  std::string text;
  {
    const MappedFile file(path);
    text = seal_text(file);
  }
  std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
  stream.write(text.data(), std::ssize(text));
  stream.close();
  if (!stream) {
    throw Error(ErrorKind::kEnvironment, fmt::format("{}: cannot write its digest", path.string()));
  }
}

Seal seal_of(const std::filesystem::path& path) {
  const MappedFile file(path);
  const auto size = static_cast<size_t>(file.size_bytes());
  if (size < kSealBytes + kSignature.size()) return Seal::kNone;
  if (std::memcmp(file.data(), kSealWords.data(), kSealWords.size()) != 0) {
    // Where the file proper begins behind a seal, there was one.
    const bool is_behind =
        std::memcmp(file.data() + kSealBytes, kSignature.data(), kSignature.size()) == 0 &&
        std::memcmp(file.data(), kSignature.data(), kSignature.size()) != 0;
    return is_behind ? Seal::kBroken : Seal::kNone;
  }
  const std::string expected = seal_text(file);
  return std::memcmp(file.data(), expected.data(), expected.size()) == 0 ? Seal::kGood
                                                                         : Seal::kBroken;
}

}  // namespace kvscope
