#include <memory>

#include "experiments/commands/command_registrar.h"
#include "experiments/commands/config_options.h"
#include "experiments/commands/device/device_agree.h"
#include "experiments/commands/device/device_info.h"
#include "experiments/commands/device/device_time.h"

namespace kvscope {
namespace {

constexpr const char* kJsonHelp = "a JSON object per line instead of text";

}  // namespace

void register_device(const CommandRegistrar& registrar) {
  const CommandRegistrar group =
      registrar.group("device", "a GPU, or the CPU: what it is, whether it agrees, how fast");

  const auto info = std::make_shared<DeviceInfoOptions>();
  CLI::App* command = &group.add("info", "what a device is, and its measured limits",
                                 [info] { return device_info_command(*info); });
  command->add_option("--device", info->device, "cpu, cuda, cuda:N or auto");
  command->add_flag("--quick", info->quick, "small measurements");
  command->add_flag("--json", info->json, kJsonHelp);

  const auto config = std::make_shared<ConfigArguments>();
  const auto agree = std::make_shared<DeviceAgreeOptions>();
  command = &group.add("agree",
                       "the same images on the CPU and on device=...: tokens, kept counts, bytes",
                       [=] { return device_agree_command(*config, *agree); });
  add_config_options(*command, *config);
  command->add_flag("--json", agree->json, kJsonHelp);

  const auto time = std::make_shared<DeviceTimeOptions>();
  command =
      &group.add("time", "one batch of every point: times of steps, attention, policy; memory",
                 [=] { return device_time_command(*config, *time); });
  add_config_options(*command, *config);
  command->add_flag("--work", time->work, "where the time of one step goes (a second batch)");
  command->add_flag("--json", time->json, kJsonHelp);
}

}  // namespace kvscope
