#include "core/checkpoint/zip_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/checkpoint/torch_file.h"
#include "tests/fuzz/fuzz_input.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// An archive and the file it reads.
struct Opened {
  explicit Opened(const std::string& bytes)
      : memory(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()),
        file(memory.path()),
        archive(file, "probe.bin") {}
  MemoryFile memory;
  MappedFile file;
  ZipArchive archive;
};

std::string refusal(const std::string& bytes) {
  return input_error_of([&] { Opened{bytes}; });
}

ZipBytes two_entries() {
  ZipBytes zip;
  zip.add("a/one", "first");
  zip.add("a/two", std::string("se\0cond", 7), 64);
  return zip;
}

// `bytes` with the number at `offset` replaced.
template <typename T>
std::string with(std::string bytes, size_t offset, T value) {
  return bytes.replace(offset, sizeof(T), raw(value));
}

TEST(ZipArchive, FindsStoredEntriesInEveryFormOfTheEndRecord) {
  for (const bool zip64 : {false, true}) {
    for (const std::string comment : {"", "a comment with PK\x05\x06 in it"}) {
      ZipBytes zip = two_entries();
      zip.entries()[1].zip64 = zip64;
      const std::string bytes = zip.finish(zip64, comment);
      const Opened opened(bytes);
      const ZipArchive& archive = opened.archive;
      ASSERT_EQ(archive.entries().size(), 2);
      EXPECT_EQ(text_of(archive.contents(*archive.find("a/one"))), "first");
      EXPECT_EQ(text_of(archive.contents(*archive.find("a/two"))), std::string("se\0cond", 7));
      EXPECT_EQ(archive.find("a/two")->data_byte % 64, 0);
      EXPECT_EQ(archive.find("../a/one"), nullptr);
    }
  }
  EXPECT_TRUE(Opened(ZipBytes().finish()).archive.entries().empty());
}

TEST(ZipArchive, RefusesEveryCutOfAnArchive) {
  const std::string whole = two_entries().finish();
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THAT(refusal(whole.substr(0, length)), HasSubstr("probe.bin")) << length;
  }
}

TEST(ZipArchive, RefusesWhatContradictsItself) {
  ZipBytes twice = two_entries();
  twice.add("a/one", "again");
  EXPECT_THAT(refusal(twice.finish()), HasSubstr("occurs twice"));

  ZipBytes overlap = two_entries();
  overlap.entries()[1] = overlap.entries()[0];
  overlap.entries()[1].name = "a/uno";
  EXPECT_THAT(refusal(overlap.finish()), HasSubstr("another name"));

  const std::string whole = two_entries().finish();
  const size_t directory = whole.find(raw<uint32_t>(0x02014b50));
  EXPECT_THAT(refusal(with<uint32_t>(whole, directory + 20, 4)), HasSubstr("of two sizes"));
  EXPECT_THAT(
      refusal(with<uint32_t>(with<uint32_t>(whole, directory + 20, 9999), directory + 24, 9999)),
      HasSubstr("do not fit"));
  EXPECT_THAT(
      refusal(with<uint32_t>(with<uint32_t>(whole, directory + 20, 60), directory + 24, 60)),
      HasSubstr("overlaps"));
  EXPECT_THAT(refusal(with<uint32_t>(whole, directory + 42, 3)), HasSubstr("no header"));
  EXPECT_THAT(refusal(with<uint32_t>(whole, directory + 42, ~0U)), HasSubstr("zip64"));
  EXPECT_THAT(refusal(with<uint16_t>(whole, whole.size() - 12, 999)), HasSubstr("entries"));
  EXPECT_THAT(refusal(with<uint32_t>(whole, whole.size() - 6, 0xfffffff0)),
              HasSubstr("central directory"));
}

TEST(ZipArchive, DoesNotReadCompressedOrEncryptedEntries) {
  ZipBytes zip = two_entries();
  zip.entries()[0].method = 8;
  zip.entries()[1].flags = 1;
  const std::string bytes = zip.finish();
  const Opened opened(bytes);
  const ZipArchive& archive = opened.archive;
  EXPECT_THAT(input_error_of([&] { static_cast<void>(archive.contents(archive.entries()[0])); }),
              HasSubstr("compressed"));
  EXPECT_THAT(input_error_of([&] { static_cast<void>(archive.contents(archive.entries()[1])); }),
              HasSubstr("encrypted"));
}

TEST(ZipArchive, DamagedBytesNeverCrash) {
  const std::string whole = two_entries().finish(true);
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(value);
      try {
        const Opened opened(damaged);
        const ZipArchive& archive = opened.archive;
        for (const ZipEntry& entry : archive.entries()) static_cast<void>(archive.contents(entry));
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("probe.bin"));
      }
    }
  }
}

}  // namespace
}  // namespace kvscope
