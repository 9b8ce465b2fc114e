#include "experiments/sweep/published_digest.h"

#include <array>
#include <string_view>
#include <utility>

namespace kvscope {
namespace {

/// From https://openaipublic.azureedge.net/clip/models/DIGEST/NAME, as clip/clip.py of OpenAI's
/// CLIP lists them.
constexpr auto kOpenAiClip = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"ViT-B-32.pt", "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"},
    {"ViT-B-16.pt", "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f"},
    {"ViT-L-14.pt", "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836"},
    {"ViT-L-14-336px.pt", "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02"},
});

}  // namespace

std::string published_digest(const std::filesystem::path& file) {
  for (const auto& [name, digest] : kOpenAiClip) {
    if (file.filename() == name) return std::string(digest);
  }
  constexpr size_t kFewestDigits = 8;
  const std::string stem = file.stem().string();
  const std::string digits = stem.substr(stem.rfind('-') + 1);
  const bool is_digest = digits.size() >= kFewestDigits && digits.size() < stem.size() &&
                         digits.find_first_not_of("0123456789abcdef") == digits.npos;
  return is_digest ? digits : "";
}

}  // namespace kvscope
