#if defined(__x86_64__)

#include "core/products/chain_functions.h"

#if defined(__clang__)

// clang, which builds the fuzz targets, has no pragma that switches instructions on from here: the narrower
// chains, with the same bits.
namespace nntrain::chain {
Functions avx512_functions() { return avx2_functions(); }
}  // namespace nntrain::chain

#else

#include <immintrin.h>

#include <algorithm>

// From here on, and not for what the headers above define: a template of theirs that the linker shares with
// other files must not need these instructions.
#pragma GCC diagnostic ignored "-Wuninitialized"  // GCC bug 105593: in its own intrinsics
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target("avx512f,prfchw")
#include "core/products/lanes_avx512.h"

namespace nntrain::chain {
namespace {
using Lanes = Avx512Lanes;
}
}  // namespace nntrain::chain

#include "core/products/chain_kernels.h"
//
#include "core/products/chain_gradient_kernels.h"

namespace nntrain::chain {

Functions avx512_functions() { return functions_of_lanes(); }

}  // namespace nntrain::chain

#endif
#endif
