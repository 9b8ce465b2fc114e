#include "core/hdf5/call.h"

#include <fmt/format.h>

#include <string_view>

namespace kvscope::hdf5 {
namespace {

// A failed system call comes with addresses, sizes and the time; its own words are enough.
std::string system_reason(const std::string& reason) {
  constexpr std::string_view kMark = "error message = '";
  const size_t mark = reason.find(kMark);
  if (mark == reason.npos) return reason;
  const size_t start = mark + kMark.size();
  return reason.substr(start, reason.find('\'', start) - start);
}

}  // namespace

QuietErrors::QuietErrors() {
  H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

QuietErrors::~QuietErrors() {
  H5Eset_auto2(H5E_DEFAULT, function_, data_);
}

void fail(ErrorKind kind, const std::string& where, std::string_view action) {
  // The deepest entry of the error stack names the cause, the others only who called whom.
  std::string reason;
  const auto visit = [](unsigned, const H5E_error2_t* entry, void* target) -> herr_t {
    if (entry->desc != nullptr) *static_cast<std::string*>(target) = entry->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, visit, &reason);
  throw Error(kind, fmt::format("{}: cannot {}: {}", where, action,
                                reason.empty() ? "the HDF5 library gives no reason"
                                               : system_reason(reason)));
}

}  // namespace kvscope::hdf5
