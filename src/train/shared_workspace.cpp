#include "nntrain/train/shared_workspace.h"

#include <span>
#include <utility>

namespace nntrain::train {

std::unique_ptr<SharedWorkspace> SharedWorkspace::make(comm::Session& session, nn::Sequential& model, std::int64_t rows) {
  constexpr std::int64_t kPageFloats = 1024;
  model.prepare(rows, nn::Mode::kTraining, nn::Sequential::Keep::kGradients);
  std::unique_ptr<SharedWorkspace> shared(new SharedWorkspace);
  const int ranks = session.local_size();
  if (ranks == 1) {
    shared->workspaces_ = {model.workspace().data()};
  } else {
    const std::int64_t segment = (model.workspace_floats() + kPageFloats - 1) / kPageFloats * kPageFloats;
    auto memory = comm::SharedArray::try_allocate(session, segment * ranks * static_cast<std::int64_t>(sizeof(float)));
    if (!memory) return nullptr;
    shared->memory_ = std::move(*memory);
    const std::span<float> floats = shared->memory_.as<float>();
    for (int r = 0; r < ranks; ++r) shared->workspaces_.push_back(floats.data() + r * segment);
    model.place_workspace(floats.subspan(static_cast<std::size_t>(session.local_rank() * segment), static_cast<std::size_t>(segment)));
  }
  shared->mine_ = model.workspace().data();
  shared->floats_ = model.workspace_floats();
  return shared;
}

}  // namespace nntrain::train
