#include "experiments/launch/slurm_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "experiments/launch/slurm_queue.h"

namespace kvscope {
namespace {

SlurmScript script() {
  return {.job_name = "kvscope-0a",
          .working_folder = "/home/me",
          .log_folder = "/results/slurm",
          .tasks = 5,
          .work = {"/bin/kvscope", "work", "/results", "--task"},
          .command_line = "kvscope run -m"};
}

TEST(SlurmScript, SaysWhatWasAskedFor) {
  SlurmScript asked = script();
  asked.options = {.partition = "gpu", .gres = "gpu:1", .cpus = 4, .minutes = 90, .at_once = 2};
  asked.options.setup = {"module load cuda"};
  EXPECT_EQ(slurm_script(asked),
            "#!/bin/bash\n"
            "# Of: kvscope run -m\n"
            "#SBATCH --job-name=kvscope-0a\n"
            "#SBATCH --array=0-4%2\n"
            "#SBATCH --output=/results/slurm/%A_%a.out\n"
            "#SBATCH --open-mode=append\n"
            "#SBATCH --chdir=/home/me\n"
            "#SBATCH --requeue\n"
            "#SBATCH --signal=B:USR1@120\n"
            "#SBATCH --partition=gpu\n"
            "#SBATCH --gres=gpu:1\n"
            "#SBATCH --cpus-per-task=4\n"
            "#SBATCH --time=90\n"
            "\n"
            "trap '' USR1  # until kvscope listens\n"
            "module load cuda\n"
            "exec /bin/kvscope work /results --task \"$SLURM_ARRAY_TASK_ID\"\n");
}

TEST(SlurmScript, NoWordIsAnythingButItself) {
  SlurmScript asked = script();
  asked.working_folder = "/home/a b";
  asked.log_folder = "/x%A\"\\y";
  asked.work = {"/bin/kvscope", "work", "/a b'$(touch x)", "--task"};
  asked.command_line = "kvscope run 'prompt=a\ntouch x'";
  asked.options.extra = {"--comment=it's # mine"};
  const std::string text = slurm_script(asked);
  EXPECT_THAT(text, testing::HasSubstr("#SBATCH \"--chdir=/home/a b\"\n"));
  EXPECT_THAT(text, testing::HasSubstr("#SBATCH \"--output=/x%%A\\\"\\\\y/%A_%a.out\"\n"));
  EXPECT_THAT(text, testing::HasSubstr("#SBATCH \"--comment=it's # mine\"\n"));
  EXPECT_THAT(text, testing::HasSubstr("# Of: kvscope run 'prompt=a touch x'\n"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("\ntouch x")));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr(" /a b'$(touch x) ")));
  asked.working_folder = "/home/me\ntouch x";
  EXPECT_THROW(slurm_script(asked), Error);
}

TEST(SlurmQueue, ReadsAListing) {
  const auto tasks = tasks_of_listing(
      "kvscope-0a|12|3|PENDING|Resources\nkvscope-0a|12|0|TIMEOUT|TimeLimit\nother|13|N/A|RUNNING|"
      "None\nnoise\n");
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_EQ(tasks[0].id(), "12_3");
  EXPECT_TRUE(tasks[0].is_live());
  EXPECT_FALSE(tasks[1].is_live());
  EXPECT_EQ(tasks[1].reason, "TimeLimit");
}

}  // namespace
}  // namespace kvscope
