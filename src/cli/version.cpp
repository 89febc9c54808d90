#include "cli/version.h"

#include <fmt/format.h>

#include "comm/session/session.h"
#include "core/products/gemm.h"
#include "io/hdf5.h"

namespace nntrain::cli {

std::string version_number() { return NNTRAIN_VERSION; }

std::string version_text() {
  return fmt::format("nntrain-dist {}\n{}\n{}\nHDF5 {}", version_number(), comm::Session::library_version(),
                     gemm::description(), io::hdf5_version());
}

}  // namespace nntrain::cli
