#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>

#include "core/products/chain_functions.h"

// From here on, and not for what the headers above define: a template of theirs that the linker shares with
// other files must not need these instructions.
#pragma GCC target("avx2,fma,prfchw")
#include "core/products/lanes_avx2.h"

namespace nntrain::chain {
namespace {
using Lanes = Avx2Lanes;
}
}  // namespace nntrain::chain

#include "core/products/chain_kernels.h"
//
#include "core/products/chain_gradient_kernels.h"

namespace nntrain::chain {

Functions avx2_functions() { return functions_of_lanes(); }

}  // namespace nntrain::chain

#endif
