#include "cli/version.h"

#include <fmt/format.h>

#include "comm/session/session.h"
#include "core/products/gemm.h"
#include "io/hdf5.h"
#include "nntrain_commit.h"  // written by commit.cmake

namespace nntrain::cli {

std::string version_number() {
  const std::string commit = NNTRAIN_COMMIT;
  return NNTRAIN_VERSION + (commit.empty() ? "" : " (" + commit + ")");
}

std::string version_text() {
  return fmt::format("nntrain-dist {}\n{}\n{}\nHDF5 {}", version_number(), comm::Session::library_version(),
                     gemm::description(), io::hdf5_version());
}

}  // namespace nntrain::cli
