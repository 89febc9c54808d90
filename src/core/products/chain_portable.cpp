#include <algorithm>

#include "core/products/chain_functions.h"
#include "core/products/lanes_portable.h"

namespace nntrain::chain {
namespace {
using Lanes = PortableLanes;
}
}  // namespace nntrain::chain

#include "core/products/chain_kernels.h"
//
#include "core/products/chain_gradient_kernels.h"

namespace nntrain::chain {

Functions portable_functions() { return functions_of_lanes(); }

}  // namespace nntrain::chain
