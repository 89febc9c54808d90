#include <algorithm>

#include "core/chain_functions.h"
#include "core/lanes_portable.h"

namespace nntrain::chain {
namespace {
using Lanes = PortableLanes;
}
}  // namespace nntrain::chain

#include "core/chain_kernels.h"
//
#include "core/chain_gradient_kernels.h"

namespace nntrain::chain {

Functions portable_functions() { return functions_of_lanes(); }

}  // namespace nntrain::chain
