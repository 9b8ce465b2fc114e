#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kvscope {

/// A GPU, or whatever else one job at a time may use, held by one process of this user on this
/// machine: a lock on slot-NAME.lock in runtime_folder(), which dies with its holder.
class DeviceSlot {
 public:
  /// Whether a file can be called after it: letters, digits, '.', '_', '-', at most 64.
  static bool is_name(const std::string& name);
  /// The first of `names` that nobody holds; nullopt where all are held. Throws
  /// Error(kEnvironment) as runtime_folder().
  static std::optional<DeviceSlot> try_take(std::span<const std::string> names);
  /// "0 by process 123, 1 by process 456": who holds which.
  static std::string holders(std::span<const std::string> names);

  ~DeviceSlot();
  DeviceSlot(DeviceSlot&& other) noexcept;
  DeviceSlot(const DeviceSlot&) = delete;
  DeviceSlot& operator=(const DeviceSlot&) = delete;
  DeviceSlot& operator=(DeviceSlot&&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  DeviceSlot(std::string name, int descriptor) : name_(std::move(name)), descriptor_(descriptor) {}

  std::string name_;
  int descriptor_ = -1;
};

/// The slots of a run and what its processes see of them.
struct DeviceSlots {
  std::vector<std::string> names{};  ///< empty: none, jobs share whatever there is
  bool shown_alone = true;           ///< CUDA_VISIBLE_DEVICES of a job names its slot
};

/// `chosen`, else those that follow from the device: of "cuda" every GPU that CUDA_VISIBLE_DEVICES
/// leaves visible, of "cuda:N" that one, of "cpu" none.
DeviceSlots device_slots(const std::string& device,
                         const std::optional<std::vector<std::string>>& chosen);

}  // namespace kvscope
