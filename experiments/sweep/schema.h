#pragma once

#include "core/config/schema.h"

namespace kvscope {

/// Every key of a run's configuration, with its type, unit, range, default and help: what
/// validation, `kvscope describe` and the point hash read. The slots of `policy` are open here;
/// the registry of parts checks them.
const ConfigSchema& run_schema();

}  // namespace kvscope
