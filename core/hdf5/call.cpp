#include "core/hdf5/call.h"

#include <fmt/format.h>

namespace kvscope::hdf5 {

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
                                reason.empty() ? "the HDF5 library gives no reason" : reason));
}

}  // namespace kvscope::hdf5
