#include "core/checkpoint/torch_zip.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/dtype_name.h"
#include "core/base/error.h"
#include "core/checkpoint/mapped_tensor.h"
#include "core/checkpoint/pickle_reader.h"
#include "core/checkpoint/state_dict.h"
#include "core/checkpoint/zip_archive.h"

static_assert(std::endian::native == std::endian::little, "storages are little-endian");

namespace kvscope {
namespace {

// Views of one storage may add up to more than the file (tied weights), but not without end.
constexpr int64_t kMaxSharing = 16;
constexpr int64_t kSmallBytes = 1 << 20;
// Expanded tensors (stride 0) take nothing of the file, and memory once somebody copies them.
constexpr int64_t kMaxExpandedBytes = int64_t{4} << 30;

// Last element of a view, or -1 where it has none; nullopt where the numbers overflow.
std::optional<int64_t> last_element(const PickleTensor& tensor) {
  int64_t last = tensor.offset;
  int64_t elements = 1;  // of the non-empty dimensions, which must not overflow either
  bool empty = false;
  for (size_t i = 0; i < tensor.sizes.size(); ++i) {
    if (tensor.sizes[i] == 0) {
      empty = true;
      continue;
    }
    int64_t reach = 0;
    if (__builtin_mul_overflow(elements, tensor.sizes[i], &elements) ||
        __builtin_mul_overflow(tensor.sizes[i] - 1, tensor.strides[i], &reach) ||
        __builtin_add_overflow(last, reach, &last)) {
      return std::nullopt;
    }
  }
  return empty ? -1 : last;
}

class TorchZip {
 public:
  explicit TorchZip(const std::filesystem::path& path)
      : path_(path.string()), file_(std::make_shared<MappedFile>(path)), archive_(*file_, path_) {
    find_root();
    check_byte_order();
  }

  TensorMap weights() {
    const ZipEntry& pickle = *archive_.find(root_ + "data.pkl");
    pickle_ = archive_.contents(pickle);
    data_ = read_pickle(pickle_, fmt::format("{}: {}", path_, pickle.name));
    TensorMap result;
    int64_t bytes = 0;
    for (const auto& [name, index] : find_state_dict(data_, path_)) {
      at::Tensor view = tensor(name, data_.tensors[index]);
      bytes += static_cast<int64_t>(view.nbytes()) - take_expanded_bytes();
      if (bytes > kMaxSharing * file_->size_bytes() + kSmallBytes) {
        refuse(name, fmt::format("tensors up to here claim {} bytes, the file has {}", bytes,
                                 file_->size_bytes()));
      }
      result.set(name, std::move(view));
    }
    return result;
  }

 private:
  [[noreturn]] void refuse(std::string_view name, const std::string& what) const {
    throw Error(ErrorKind::kInput, fmt::format("{}: tensor '{}': {}", path_, name, what));
  }

  // The folder in the archive is called "archive" or as the file was: it is where data.pkl lies.
  void find_root() {
    constexpr std::string_view kPickle = "data.pkl";
    std::vector<std::string_view> found;
    for (const ZipEntry& entry : archive_.entries()) {
      if (entry.name == kPickle || entry.name.ends_with("/data.pkl")) found.push_back(entry.name);
    }
    if (found.size() != 1) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: {} data.pkl among the {} entries of this zip archive; a file of "
                              "torch.save has exactly one",
                              path_, found.size(), archive_.entries().size()));
    }
    root_ = found.front().substr(0, found.front().size() - kPickle.size());
  }

  void check_byte_order() const {
    const ZipEntry* entry = archive_.find(root_ + "byteorder");
    if (entry == nullptr) return;
    const std::vector<std::byte> bytes = archive_.contents(*entry);
    const std::string_view order(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (order != "little") {
      throw Error(ErrorKind::kInput, fmt::format("{}: byte order '{}'; only little is read", path_,
                                                 order.substr(0, 32)));
    }
  }

  // All elements of a storage; the same tensor for every view of it.
  const at::Tensor& storage(std::string_view name, const PickleTensor& view) {
    const PickleStorage& claimed = data_.storages[view.storage];
    const auto known = storages_.find(claimed.key);
    if (known != storages_.end()) {
      if (known->second.scalar_type() != view.dtype) {
        refuse(name, fmt::format("storage '{}' is used as {} and as {}", claimed.key,
                                 dtype_name(known->second.scalar_type()), dtype_name(view.dtype)));
      }
      return known->second;
    }
    const std::string entry_name = fmt::format("{}data/{}", root_, claimed.key);
    const ZipEntry* entry = archive_.find(entry_name);
    if (entry == nullptr) {
      refuse(name, fmt::format("its storage '{}' is not in the archive", entry_name));
    }
    archive_.require_stored(*entry);
    const int64_t count = entry->size_bytes / static_cast<int64_t>(c10::elementSize(view.dtype));
    at::Tensor elements = mapped_tensor(file_, entry->data_byte, count, view.dtype);
    return storages_.emplace(claimed.key, std::move(elements)).first->second;
  }

  at::Tensor tensor(std::string_view name, const PickleTensor& view) {
    const at::Tensor& elements = storage(name, view);
    const PickleStorage& claimed = data_.storages[view.storage];
    const int64_t held = archive_.find(fmt::format("{}data/{}", root_, claimed.key))->size_bytes;
    int64_t claimed_bytes = 0;
    if (__builtin_mul_overflow(claimed.count, static_cast<int64_t>(c10::elementSize(claimed.dtype)),
                               &claimed_bytes) ||
        claimed_bytes > held) {
      refuse(name, fmt::format("storage '{}' is said to have {} elements of {}, the file holds {} "
                               "bytes of it",
                               claimed.key, claimed.count, dtype_name(claimed.dtype), held));
    }
    const int64_t count = claimed_bytes / static_cast<int64_t>(c10::elementSize(view.dtype));
    const std::optional<int64_t> last = last_element(view);
    if (!last || *last >= count) {
      refuse(name, fmt::format("sizes [{}] and strides [{}] from element {} on leave its storage "
                               "of {} elements",
                               fmt::join(view.sizes, ", "), fmt::join(view.strides, ", "),
                               view.offset, count));
    }
    if (*last < 0) return at::empty(view.sizes, at::TensorOptions(view.dtype));
    count_expanded(name, view, count);
    return elements.as_strided(view.sizes, view.strides, view.offset);
  }

  /// Of a view that repeats the `count` elements of its storage, what it is more than they are.
  void count_expanded(std::string_view name, const PickleTensor& view, int64_t count) {
    const int64_t elements =
        c10::multiply_integers(view.sizes);  // last_element() found no overflow
    const auto item_bytes = static_cast<int64_t>(c10::elementSize(view.dtype));
    const int64_t elements_left = (kMaxExpandedBytes - all_expanded_bytes_) / item_bytes;
    if (elements - count > elements_left) {
      refuse(name, fmt::format("sizes [{}] repeat the {} elements of its storage to more than {} "
                               "bytes; expected at most that of all expanded tensors together",
                               fmt::join(view.sizes, ", "), count, kMaxExpandedBytes));
    }
    expanded_bytes_ = std::max<int64_t>(0, elements - count) * item_bytes;
    all_expanded_bytes_ += expanded_bytes_;
  }

  /// Of the last view; it does not claim them of the file.
  int64_t take_expanded_bytes() { return std::exchange(expanded_bytes_, 0); }

  std::string path_;
  int64_t expanded_bytes_ = 0;
  int64_t all_expanded_bytes_ = 0;
  std::shared_ptr<MappedFile> file_;
  ZipArchive archive_;
  std::string root_;  // "archive/"
  std::vector<std::byte> pickle_;
  PickleData data_;  // points into pickle_
  std::map<std::string_view, at::Tensor> storages_;
};

}  // namespace

TensorMap read_torch_zip(const std::filesystem::path& path) {
  return TorchZip(path).weights();
}

}  // namespace kvscope
