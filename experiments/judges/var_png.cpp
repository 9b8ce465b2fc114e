#include <fmt/format.h>

#include "experiments/judges/judge.h"
#include "experiments/judges/reader_rules.h"

namespace kvscope {
namespace {

constexpr int64_t kSamples = 50000;

ExportPlan plan(const PlanRequest& request) {
  int64_t next = 0;
  return plan_of_samples(request, false, [&](const ExportedPrompt& /*prompt*/, int64_t /*sample*/) {
    return fmt::format("{:06}.png", next++);
  });
}

FolderReading read_as(const std::string& reader,
                      const ReadRequest& request,
                      bool (*takes)(std::string_view place)) {
  FolderReading reading = read_by(reader, request.listing, takes);
  check_pictures(reading, request.listing);
  if (std::ssize(reading.read) != kSamples) {
    reading.notes.push_back(
        fmt::format("{} pictures: published numbers are of {}, and VAR's script "
                    "takes no other number",
                    reading.read.size(), kSamples));
  }
  return reading;
}

}  // namespace

Judge judge_var_png() {
  return {.name = "var_png",
          .title = "VAR's folder for ImageNet",
          .repository = "FoundationVision/VAR",
          .commit = "78b95394",
          .summary = "NNNNNN.png in one folder, which VAR's and LlamaGen's scripts pack as .npz",
          .prompt_files = "prompts, a line each; the point's own prompts without it",
          .needs_prompts = false,
          .samples = kAllSamples,
          .full_prompts = kSamples,
          .advice =
              "VAR's script packs in the file system's order, and the inception score depends "
              "on it; kvscope export imagenet_npz packs shuffled",
          .read_prompts = read_any_prompts,
          .plan = plan,
          .read_folder = [](const ReadRequest& request) {
            return std::vector{
                read_as("VAR's npz script", request, reader_rules::var_npz),
                read_as("LlamaGen's npz script", request, reader_rules::llamagen_npz)};
          }};
}

}  // namespace kvscope
