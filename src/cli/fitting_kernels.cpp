#include "cli/fitting_kernels.h"

#include <unistd.h>

#include <cstdlib>
#include <string>

#include "core/products/gemm.h"

namespace nntrain::cli {

void take_fitting_kernels(char** argv) {
  const std::string core = gemm::better_core_here();
  if (core.empty()) return;
  setenv("OPENBLAS_CORETYPE", core.c_str(), 1);  // set: the program that starts leaves it alone
  execv("/proc/self/exe", argv);
  unsetenv("OPENBLAS_CORETYPE");
}

}  // namespace nntrain::cli
