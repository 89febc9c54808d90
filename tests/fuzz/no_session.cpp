// Sources of the readers hold functions that speak with other ranks; nothing that is fuzzed calls them. So
// the floor comm, and MPI, need not be built, nor the steps of training.

#include <cstdlib>

#include "comm/session/session.h"
#include "train/step/updater.h"

namespace nntrain::comm {

int Session::rank() const { std::abort(); }
std::int64_t Session::maximum(std::int64_t) { std::abort(); }
std::string Session::broadcast_text(const std::string&, int) { std::abort(); }
void collectively(Session&, std::string_view, const std::function<void()>&) { std::abort(); }

}  // namespace nntrain::comm

void nntrain::train::Updater::scatter_slot(int, std::span<const float>) { std::abort(); }
