#include "core/base/foreign_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <span>
#include <string>

#include "core/base/error.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/safetensors.h"
#include "core/text/tokenizers/tokenizer.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

struct Case {
  std::string content;
  std::string said;
};

const Case kCases[] = {
    {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "git lfs pull"},
    {"/annex/objects/SHA256E-s12--00\n", "git annex get"},
    {"\n <!DOCTYPE html><html><body>Sign in</body></html>", "a web page"},
    {"<HTML lang=en>", "a web page"},
    {std::string("\x1f\x8b\x08\0\0\0\0\0\0", 9), "gunzip"},
    {std::string("\xfd\x37zXZ\0\0", 7), "unxz"},
    {std::string(257, 'x') + "ustar", "tar -xf"},
    {"GGUF and more", "GGUF"},
};

template <class Open>
void expect_named(const Open& open, const std::string& suffix) {
  for (const Case& one : kCases) {
    const auto path = test_file("foreign" + suffix);
    std::ofstream(path, std::ios::binary) << one.content;
    try {
      open(path);
      ADD_FAILURE() << one.said << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_THAT(error.what(), HasSubstr(one.said));
      EXPECT_THAT(error.what(), HasSubstr(path.string()));
    }
    std::filesystem::remove(path);
  }
}

TEST(ForeignFile, ReadersSayWhatStandsInTheirPlace) {
  const auto checkpoint = [](const auto& path) { open_checkpoint(path); };
  expect_named(checkpoint, ".safetensors");
  expect_named(checkpoint, ".pth");
  expect_named([](const auto& path) { read_safetensors(path); }, ".safetensors");
  expect_named([](const auto& path) { open_tokenizer(path); }, ".model");
  expect_named([](const auto& path) { open_tokenizer(path); }, ".json");
}

TEST(ForeignFile, NothingIsSaidOfWhatIsNotKnown) {
  EXPECT_EQ(foreign_file({}), "");
  const std::string text = "some letters";
  EXPECT_EQ(foreign_file(std::as_bytes(std::span(text))), "");
}

TEST(ForeignFile, AHeadersLengthIsNotTakenForACompressedFile) {
  // 0x088b1f bytes of header: how gzip begins.
  std::string header = "{\"__metadata__\":{\"a\":\"b\"}}";
  header.resize(0x088b1f, ' ');
  const auto path = test_file("long.safetensors");
  const auto length = static_cast<uint64_t>(header.size());
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(&length), sizeof(length))
      .write(header.data(), static_cast<std::streamsize>(header.size()));
  EXPECT_TRUE(open_checkpoint(path).tensors.empty());
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace kvscope
