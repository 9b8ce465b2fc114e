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
  void reset() {
    if (id_ >= 0) close_(id_);
  }

  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

}  // namespace kvscope::hdf5
