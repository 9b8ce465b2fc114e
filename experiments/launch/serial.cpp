#include "experiments/launch/launcher.h"

namespace kvscope {
namespace {

class SerialLauncher : public Launcher {
 public:
  void try_out(const std::function<void()>& look) override { look(); }

  void launch(std::span<const Point* const> points,
              const MakePoint& make,
              const LaunchEvents& events,
              const std::function<bool()>& stop_asked) override {
    for (int64_t i = 0; i < std::ssize(points) && !stop_asked(); ++i) {
      events.begun(i);
      const PointOutcome outcome = make(
          *points[static_cast<size_t>(i)], [&](int64_t images) { events.images_made(i, images); },
          stop_asked);
      events.ended(i, outcome);
    }
  }
};

}  // namespace

std::unique_ptr<Launcher> make_serial_launcher(LaunchPlace /*place*/) {
  return std::make_unique<SerialLauncher>();
}

}  // namespace kvscope
