#if defined(__aarch64__)

#include <algorithm>

#include "core/products/chain_functions.h"
#include "core/products/lanes_neon.h"

namespace nntrain::chain {
namespace {
using Lanes = NeonLanes;
}
}  // namespace nntrain::chain

#include "core/products/chain_kernels.h"
//
#include "core/products/chain_gradient_kernels.h"

namespace nntrain::chain {

Functions neon_functions() { return functions_of_lanes(); }

}  // namespace nntrain::chain

#endif
