#include "policies/head_kinds.h"

namespace kvscope {

const char* head_kinds_text(HeadKinds kinds) {
  switch (kinds) {
    case HeadKinds::kAlike:
      return "heads that are all alike";
    case HeadKinds::kSemanticSpatial:
      return "semantic and spatial heads";
    case HeadKinds::kStructuralContextual:
      return "structural and contextual heads";
    case HeadKinds::kSteadyChanging:
      return "steady and changing layers";
    case HeadKinds::kRetrievalStreaming:
      return "retrieval and streaming heads";
    case HeadKinds::kDrafterRefiner:
      return "drafters and refiners";
  }
  return "";
}

}  // namespace kvscope
