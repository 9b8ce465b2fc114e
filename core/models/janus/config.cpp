#include "core/models/janus/config.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/models/require_geometry.h"

namespace kvscope::janus {

void JanusConfig::check() const {
  decoder.check(2);
  require_geometry(text_vocabulary > 0,
                   fmt::format("transformer.text_vocabulary {} must be positive", text_vocabulary));
  require_geometry(image_vocabulary > 0 && image_vocabulary <= 65536,
                   fmt::format("vq.codebook_entries {} not in 1..65536", image_vocabulary));
  require_geometry(code_width > 0, fmt::format("vq.code_width {} must be positive", code_width));
  // The first id and the last one frame every prompt.
  require_geometry(prompt_tokens >= 2 && prompt_tokens <= 16384,
                   fmt::format("transformer.text_max_tokens {} not in 2..16384", prompt_tokens));
  require_geometry(image_tokens > 0, "the picture has no tokens");
}

JanusConfig published_janus(const std::string& name) {
  JanusConfig config;
  if (name == "janus_pro_1b") {
    config.decoder = {.layers = 24, .heads = 16, .width = 2048, .feed_forward_width = 5632};
  } else if (name == "janus_pro_7b") {
    config.decoder = {.layers = 30, .heads = 32, .width = 4096, .feed_forward_width = 11008};
  } else {
    throw Error(ErrorKind::kConfig, "unknown Janus size '" + name + "'. " +
                                        suggestion(name, {"janus_pro_1b", "janus_pro_7b"}));
  }
  return config;
}

}  // namespace kvscope::janus
