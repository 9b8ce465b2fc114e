#pragma once

#include <cstdint>

namespace kvscope {

/// What the kinds of heads mean that an allocation tells apart (Allocate::head_types gives their
/// numbers) and a score goes by. Numbers of one meaning say nothing in another.
enum class HeadKinds : uint8_t {
  kAlike,                 ///< no head is another; a score that needs no more fits every allocation
  kSemanticSpatial,       ///< SSD: 0 semantic, 1 spatial
  kStructuralContextual,  ///< HACK: 0 structural, 1 contextual
  kSteadyChanging,        ///< AMS-KV: layers by how much they change between scales
  kRetrievalStreaming,    ///< DuoAttention: heads that keep everything, and heads that stream
  kDrafterRefiner,        ///< ScaleKV: layers that keep much, and layers that keep the rest
};

/// "spatial and semantic heads": as messages say it.
const char* head_kinds_text(HeadKinds kinds);

/// Whether a score that goes by `needed` can work with an allocation that tells `given` apart.
constexpr bool fits(HeadKinds needed, HeadKinds given) {
  return needed == HeadKinds::kAlike || needed == given;
}

}  // namespace kvscope
