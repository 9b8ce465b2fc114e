// Runs a fuzz target without a fuzzer: every file of a corpus, then a fixed number of mutations of
// them from a fixed seed. Any build of any compiler can do this; it is what the tests run.
//
//   kvscope_replay_NAME CORPUS_FOLDER MUTATIONS [SEED]
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int64_t kMemoryLimitBytes = int64_t{1} << 30;
constexpr size_t kLongestInput = 1 << 16;  // larger files of a corpus are run, but not mutated
constexpr const char* kCrashFile = "fuzz-crash-input";

using Random = std::mt19937_64;

size_t below(Random& random, size_t limit) {
  return limit == 0 ? 0 : random() % limit;
}

void overwrite_with_extreme(std::string& input, Random& random) {
  constexpr std::array<uint64_t, 12> kExtremes = {0,
                                                  1,
                                                  0x7f,
                                                  0x80,
                                                  0xff,
                                                  0x7fff,
                                                  0xffff,
                                                  0x7fffffff,
                                                  0x80000000,
                                                  0xffffffff,
                                                  0x7fffffffffffffff,
                                                  0xffffffffffffffff};
  const uint64_t value = kExtremes[below(random, kExtremes.size())];
  const size_t width = size_t{1} << below(random, 4);
  const size_t at = below(random, input.size());
  for (size_t i = 0; i < width && at + i < input.size(); ++i) {
    input[at + i] = static_cast<char>(value >> (8 * i));
  }
}

// A part of `other` in place of a part of `input`.
void splice(std::string& input, const std::string& other, Random& random) {
  const size_t at = below(random, input.size() + 1);
  const size_t removed = below(random, std::min<size_t>(input.size() - at, 64) + 1);
  const size_t from = below(random, other.size() + 1);
  const size_t taken = below(random, std::min<size_t>(other.size() - from, 64) + 1);
  input.replace(at, removed, other.substr(from, taken));
}

void mutate(std::string& input, const std::vector<std::string>& corpus, Random& random) {
  const size_t times = 1 + below(random, 4);
  for (size_t i = 0; i < times; ++i) {
    switch (below(random, 8)) {
      case 0:
        input.resize(below(random, input.size() + 1));
        break;
      case 1:
        splice(input, corpus[below(random, corpus.size())], random);
        break;
      case 2:
        splice(input, input, random);
        break;
      case 3:
      case 4:
        if (!input.empty()) overwrite_with_extreme(input, random);
        break;
      default:
        if (input.empty()) break;
        char& letter = input[below(random, input.size())];
        letter = static_cast<char>(below(random, 2) == 0 ? letter ^ (1 << below(random, 8))
                                                         : static_cast<int>(random() & 0xff));
    }
  }
}

void run(const std::string& input, const std::string& what) {
  // Kept where it can be found after a crash, and removed by the caller at the end.
  std::ofstream(kCrashFile, std::ios::binary | std::ios::trunc) << input;
  try {
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: the reader let out something other than Error: %s\nthe input is %s\n",
                 what.c_str(), error.what(), kCrashFile);
    std::exit(1);
  }
}

int64_t peak_bytes() {
  std::ifstream stream("/proc/self/status");
  for (std::string word; stream >> word;) {
    int64_t kilobytes = 0;
    if (word == "VmHWM:" && stream >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3 && count != 4) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER MUTATIONS [SEED]\n", arguments[0]);
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& item : std::filesystem::directory_iterator(arguments[1])) {
    files.push_back(item.path());
  }
  std::ranges::sort(files);
  std::vector<std::string> corpus;
  for (const std::filesystem::path& file : files) {
    std::ifstream stream(file, std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(stream), {}};
    run(input, file.string());
    if (input.size() <= kLongestInput) corpus.push_back(input);
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "%s: no inputs\n", arguments[1]);
    return 1;
  }
  const long mutations = std::strtol(arguments[2], nullptr, 10);
  constexpr uint64_t kSeed = 20240229;
  Random random(count == 4 ? std::strtoull(arguments[3], nullptr, 10) : kSeed);
  for (long i = 0; i < mutations; ++i) {
    std::string input = corpus[below(random, corpus.size())];
    mutate(input, corpus, random);
    run(input, "mutation " + std::to_string(i));
  }
  std::filesystem::remove(kCrashFile);
  const int64_t peak = peak_bytes();
  std::printf("%zu files, %ld mutations, at most %lld MiB\n", files.size(), mutations,
              static_cast<long long>(peak >> 20));
  if (peak > kMemoryLimitBytes) {
    std::fprintf(stderr, "more than %lld MiB\n", static_cast<long long>(kMemoryLimitBytes >> 20));
    return 1;
  }
  return 0;
}
