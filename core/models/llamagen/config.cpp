#include "core/models/llamagen/config.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/models/require_geometry.h"

namespace kvscope::llamagen {

void LlamaGenConfig::check() const {
  decoder.check(4);
  if (conditioning == Conditioning::kClass) {
    require_geometry(classes > 0, fmt::format("transformer.classes {} must be positive", classes));
  } else {
    require_geometry(caption_tokens > 0 && caption_tokens <= 16384,
                     fmt::format("transformer.text_max_tokens {} not in 1..16384", caption_tokens));
    require_geometry(
        caption_channels > 0,
        fmt::format("transformer.text_channels {} must be positive", caption_channels));
  }
  require_geometry(image_vocabulary > 0 && image_vocabulary <= 65536,
                   fmt::format("vq.codebook_entries {} not in 1..65536", image_vocabulary));
  require_geometry(grid_height > 0 && grid_width > 0, "the picture has no tokens");
}

int64_t feed_forward_width(int64_t width) {
  return (8 * width / 3 + 255) / 256 * 256;
}

LlamaGenConfig published_llamagen(const std::string& name) {
  struct Row {
    std::string_view name;
    int64_t layers, heads, width;
  };
  constexpr std::array<Row, 8> kRows = {{{"llamagen_b", 12, 12, 768},
                                         {"llamagen_l", 24, 16, 1024},
                                         {"llamagen_xl", 36, 20, 1280},
                                         {"llamagen_xxl", 48, 24, 1536},
                                         {"llamagen_3b", 24, 32, 3200},
                                         {"llamagen_1b", 22, 32, 2048},
                                         {"llamagen_xxxl", 48, 40, 2560},
                                         {"llamagen_7b", 32, 32, 4096}}};
  std::vector<std::string> known;
  for (const Row& row : kRows) {
    known.emplace_back(row.name);
    if (row.name != name) continue;
    LlamaGenConfig config;
    config.decoder.layers = row.layers;
    config.decoder.heads = row.heads;
    config.decoder.width = row.width;
    config.decoder.feed_forward_width = feed_forward_width(row.width);
    return config;
  }
  throw Error(ErrorKind::kConfig,
              "unknown LlamaGen size '" + name + "'. " + suggestion(name, known));
}

}  // namespace kvscope::llamagen
