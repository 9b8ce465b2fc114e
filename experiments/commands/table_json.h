#pragma once

#include <nlohmann/json.hpp>

#include "experiments/report/tables/table.h"

namespace kvscope {

/// A table for programs: {"title", "columns": [{"name", "unit", "better"}], "rows": [{"reference",
/// "point", "cells": {NAME: text | number | {"value", "low", "high"} | {"missing": why}}}]}.
/// Numbers are raw, in the column's unit; "point" is the hash of the result that a row comes from,
/// where each row comes from one.
nlohmann::ordered_json table_json(const Table& table);

}  // namespace kvscope
