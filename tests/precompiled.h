// What almost every test includes, parsed once a build in place of once a file; the build alone includes it.
// Tests include what they use all the same: tests/fuzz/run.sh and the program itself are compiled without it
// (GCC 12 warns falsely of precompiled headers of the library once it optimises).

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
