// The pickle reader on any bytes, inside an archive that is in order: a mutated archive seldom gets
// as far as its pickle. The storages are archive/data/0 (64 bytes) and archive/data/1 (6 bytes).
#include <cstring>
#include <string>

#include "core/base/error.h"
#include "core/checkpoint/torch_zip.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

template <typename T>
std::string raw(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

class Archive {
 public:
  void add(const std::string& name, const std::string& data) {
    const auto size = static_cast<uint32_t>(data.size());
    const std::string sizes = raw(size) + raw(size) + raw(static_cast<uint16_t>(name.size()));
    directory_ += raw<uint32_t>(0x02014b50) + std::string(16, '\0') + sizes +
                  std::string(12, '\0') + raw(static_cast<uint32_t>(files_.size())) + name;
    files_ += raw<uint32_t>(0x04034b50) + std::string(14, '\0') + sizes + std::string(2, '\0') +
              name + data;
    ++count_;
  }

  [[nodiscard]] std::string bytes() const {
    return files_ + directory_ + raw<uint32_t>(0x06054b50) + raw<uint32_t>(0) + raw(count_) +
           raw(count_) + raw(static_cast<uint32_t>(directory_.size())) +
           raw(static_cast<uint32_t>(files_.size())) + raw<uint16_t>(0);
  }

 private:
  std::string files_;
  std::string directory_;
  uint16_t count_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Archive archive;
  archive.add("archive/data/0", std::string(64, '\1'));
  archive.add("archive/data/1", std::string(6, '\2'));
  archive.add("archive/data.pkl", std::string(reinterpret_cast<const char*>(data), size));
  const std::string bytes = archive.bytes();
  const kvscope::MemoryFile file(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  try {
    kvscope::use_all(kvscope::read_torch_zip(file.path()));
  } catch (const kvscope::Error&) {
    // refused, as most inputs are
  }
  return 0;
}
