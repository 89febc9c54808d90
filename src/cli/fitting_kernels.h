#pragma once

namespace nntrain::cli {

/// OpenBLAS chooses its kernels while it is loaded, and takes a CPU newer than itself for an ancient one.
/// Then the program starts itself again with the right ones named in OPENBLAS_CORETYPE. Before everything
/// else; returns where nothing is to be done, or cannot be: the log's header says what is used.
void take_fitting_kernels(char** argv);

}  // namespace nntrain::cli
