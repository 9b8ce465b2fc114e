#pragma once

#include <hdf5.h>

#include <utility>

namespace kvscope::hdf5 {

/// Owns one HDF5 identifier and the function that closes it.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Handle() = default;
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      reset();
      id_ = std::exchange(other.id_, H5I_INVALID_HID);
      close_ = other.close_;
    }
    return *this;
  }

  [[nodiscard]] hid_t id() const { return id_; }

 private:
  // On a full disk closing fails too. Whoever wrote has been told by then; the library's trace
  // would only bury the message.
  void reset() {
    if (id_ < 0) return;
    H5E_BEGIN_TRY {
      close_(id_);
    }
    H5E_END_TRY
  }

  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

}  // namespace kvscope::hdf5
