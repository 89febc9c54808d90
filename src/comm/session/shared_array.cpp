#include <fmt/format.h>

#include <algorithm>

#include "comm/session/session.h"
#include "comm/session/session_implementation.h"

namespace nntrain::comm {

struct SharedArray::Implementation {
  Session::Implementation* session = nullptr;
  std::shared_ptr<SharedWindow> window;
};

SharedArray::SharedArray() = default;
SharedArray::SharedArray(SharedArray&&) noexcept = default;
SharedArray& SharedArray::operator=(SharedArray&&) noexcept = default;
SharedArray::~SharedArray() = default;  // the session keeps the window until its end

std::optional<SharedArray> SharedArray::try_allocate(Session& session, std::int64_t bytes) {
  Session::Implementation& impl = session.implementation();
  const auto clock = impl.watch_inside_mpi("shared memory");
  auto window = SharedWindow::create(impl.node_ranks, bytes);
  if (!window) return std::nullopt;
  impl.windows.push_back(window);
  SharedArray array;
  array.impl_ = std::make_unique<Implementation>(Implementation{&impl, std::move(window)});
  return array;
}

SharedArray SharedArray::allocate(Session& session, std::int64_t bytes) {
  std::optional<SharedArray> array = try_allocate(session, bytes);
  if (array) return std::move(*array);
  throw RuntimeError(
      fmt::format("host {}: no room for {:.1f} MB of shared memory in {}, where {:.1f} MB are free; make "
                  "it larger (docker run "
                  "--shm-size=..., or `mount -o remount,size=... /dev/shm`) or start one rank on this node",
                  session.host(), static_cast<double>(bytes) / 1e6, backing_directory(),
                  static_cast<double>(shared_bytes_free()) / 1e6));
}

std::span<std::byte> SharedArray::bytes() const {
  if (!impl_) return {};
  return {impl_->window->data(), static_cast<std::size_t>(impl_->window->size_bytes())};
}

void SharedArray::free() {
  if (!impl_) return;
  impl_->window->free();
  std::erase(impl_->session->windows, impl_->window);
  impl_.reset();
}

}  // namespace nntrain::comm
