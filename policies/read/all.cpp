#include "policies/component.h"

namespace kvscope {

/// Everything that is held is seen, where it stood when it was made.
std::unique_ptr<Read> make_read_all(Options& /*options*/) {
  return std::make_unique<Read>();
}

}  // namespace kvscope
