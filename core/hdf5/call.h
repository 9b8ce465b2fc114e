#pragma once

#include <hdf5.h>

#include <string>
#include <string_view>
#include <utility>

#include "core/base/error.h"

namespace kvscope::hdf5 {

/// Turns the library's automatic printing of errors off for a scope.
class QuietErrors {
 public:
  QuietErrors();
  ~QuietErrors();
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

/// Throws Error(kind): "`where`: cannot `action`: the library's own reason".
[[noreturn]] void fail(ErrorKind kind, const std::string& where, std::string_view action);

/// The result of `call`, an HDF5 function, unless it is negative: then Error(kind) as by fail().
template <class Call>
auto checked(ErrorKind kind, const std::string& where, std::string_view action, Call&& call) {
  const QuietErrors quiet;
  const auto result = std::forward<Call>(call)();
  if (result < 0) fail(kind, where, action);
  return result;
}

}  // namespace kvscope::hdf5
