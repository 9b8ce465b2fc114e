#include "experiments/commands/device.h"

#include <memory>

#include "experiments/commands/config_options.h"
#include "experiments/commands/device_agree.h"
#include "experiments/commands/device_info.h"
#include "experiments/commands/device_time.h"

namespace kvscope {
namespace {

constexpr const char* kJsonHelp = "a JSON object per line instead of text";

}  // namespace

void add_device_commands(CLI::App& app, const std::function<void(std::function<int()>)>& choose) {
  CLI::App* group =
      app.add_subcommand("device", "a GPU, or the CPU: what it is, whether it agrees, how fast");
  group->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, const std::function<int()>& action) {
    CLI::App* command = group->add_subcommand(name, help);
    command->allow_extras();
    command->callback([choose, action] { choose(action); });
    return command;
  };

  const auto info = std::make_shared<DeviceInfoOptions>();
  CLI::App* command = add("info", "what a device is, and its measured limits",
                          [info] { return device_info_command(*info); });
  command->add_option("--device", info->device, "cpu, cuda, cuda:N or auto");
  command->add_flag("--quick", info->quick, "small measurements");
  command->add_flag("--json", info->json, kJsonHelp);

  const auto config = std::make_shared<ConfigArguments>();
  const auto agree = std::make_shared<DeviceAgreeOptions>();
  command = add("agree", "the same images on the CPU and on device=...: tokens, kept counts, bytes",
                [=] { return device_agree_command(*config, *agree); });
  add_config_options(*command, *config);
  command->add_flag("--json", agree->json, kJsonHelp);

  const auto time = std::make_shared<DeviceTimeOptions>();
  command = add("time", "one batch of every point: times of steps, attention, policy; memory",
                [=] { return device_time_command(*config, *time); });
  add_config_options(*command, *config);
  command->add_flag("--work", time->work, "where the time of one step goes (a second batch)");
  command->add_flag("--json", time->json, kJsonHelp);
}

}  // namespace kvscope
