#include "comm/exchange/messages.h"

#include <algorithm>

namespace nntrain::comm {

namespace {

constexpr std::int64_t kMostElements = kPieceBytes / static_cast<std::int64_t>(sizeof(float));

std::int64_t bytes_of(MPI_Datatype type) {
  int bytes = 0;
  check(MPI_Type_size(type, &bytes), "MPI_Type_size");
  return bytes;
}

/// Calls plan(begin in bytes, elements) for each message of at most kMostElements.
template <class Plan>
void in_messages(std::int64_t count, MPI_Datatype type, const Plan& plan) {
  for (std::int64_t begin = 0; begin < count; begin += kMostElements)
    plan(begin * bytes_of(type), static_cast<int>(std::min(kMostElements, count - begin)));
}

}  // namespace

Messages::~Messages() {
  int ended = 0;
  if (requests_.empty() || MPI_Finalized(&ended) != MPI_SUCCESS || ended != 0) return;
  for (MPI_Request& request : requests_) MPI_Request_free(&request);
}

void Messages::plan_send(const void* from, std::int64_t count, MPI_Datatype type, int to, int tag,
                         MPI_Comm ranks) {
  in_messages(count, type, [&](std::int64_t begin, int elements) {
    MPI_Request request = MPI_REQUEST_NULL;
    check(
        MPI_Send_init(static_cast<const std::byte*>(from) + begin, elements, type, to, tag, ranks, &request),
        "MPI_Send_init");
    requests_.push_back(request);
  });
}

void Messages::plan_receive(void* into, std::int64_t count, MPI_Datatype type, int from, int tag,
                            MPI_Comm ranks) {
  in_messages(count, type, [&](std::int64_t begin, int elements) {
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Recv_init(static_cast<std::byte*>(into) + begin, elements, type, from, tag, ranks, &request),
          "MPI_Recv_init");
    requests_.push_back(request);
  });
}

void Messages::start(Waiter& waiter) {
  wait(waiter);
  if (requests_.empty()) return;
  check(MPI_Startall(static_cast<int>(requests_.size()), requests_.data()), "MPI_Startall");
  under_way_ = true;
}

bool Messages::have_ended() {
  if (!under_way_) return true;
  int ended = 0;
  check(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &ended, MPI_STATUSES_IGNORE),
        "MPI_Testall");
  under_way_ = ended == 0;
  return !under_way_;
}

void Messages::wait(Waiter& waiter) {
  waiter.until([&] { return have_ended(); });
}

}  // namespace nntrain::comm
