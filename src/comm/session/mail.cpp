#include "comm/session/mail.h"

#include <algorithm>
#include <utility>

#include "comm/session/collective.h"
#include "comm/session/mail_state.h"
#include "comm/session/session_implementation.h"

namespace nntrain::comm {

namespace {

constexpr int kTag = 1;

}  // namespace

MailState::MailState(MPI_Comm ranks, int size) : traffic_(static_cast<std::size_t>(size)) {
  check(MPI_Comm_dup(ranks, &ranks_), "MPI_Comm_dup");
}

void MailState::send(int rank, std::span<const std::byte> bytes, std::int64_t ticket) {
  const auto length = static_cast<std::int64_t>(bytes.size());
  messages_.push_back({ticket, length, false});
  requests_.push_back(MPI_REQUEST_NULL);
  check(MPI_Isend(bytes.data(), static_cast<int>(length), MPI_BYTE, rank, kTag, ranks_, &requests_.back()),
        "MPI_Isend");
  Traffic& traffic = traffic_[static_cast<std::size_t>(rank)];
  ++traffic.sent;
  traffic.longest = std::max(traffic.longest, length);
}

void MailState::receive(int rank, std::span<std::byte> bytes, std::int64_t ticket) {
  messages_.push_back({ticket, 0, true});
  requests_.push_back(MPI_REQUEST_NULL);
  check(MPI_Irecv(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, rank, kTag, ranks_,
                  &requests_.back()),
        "MPI_Irecv");
  ++traffic_[static_cast<std::size_t>(rank)].asked;
}

void MailState::look(const Ended& ended) {
  if (requests_.empty()) return;
  places_.resize(requests_.size());
  statuses_.resize(requests_.size());
  int count = 0;
  check(MPI_Testsome(static_cast<int>(requests_.size()), requests_.data(), &count, places_.data(),
                     statuses_.data()),
        "MPI_Testsome");
  if (count == 0 || count == MPI_UNDEFINED) return;
  ended_.clear();
  for (int i = 0; i < count; ++i) {
    Message& message = messages_[static_cast<std::size_t>(places_[static_cast<std::size_t>(i)])];
    if (message.arrives) {
      int bytes = 0;
      check(MPI_Get_count(&statuses_[static_cast<std::size_t>(i)], MPI_BYTE, &bytes), "MPI_Get_count");
      message.bytes = bytes;
    }
    ended_.push_back(message);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    if (requests_[i] == MPI_REQUEST_NULL) continue;
    requests_[kept] = requests_[i];
    messages_[kept++] = messages_[i];
  }
  requests_.resize(kept);
  messages_.resize(kept);
  for (const Message& message : ended_) ended(message.ticket, message.bytes);
}

/// What `rank` has sent beyond what was asked for.
void MailState::take_excess(Waiter& waiter, int rank, const Traffic& theirs) {
  std::vector<std::byte> nowhere;
  for (std::int64_t i = traffic_[static_cast<std::size_t>(rank)].asked; i < theirs.sent; ++i) {
    nowhere.resize(static_cast<std::size_t>(theirs.longest));
    await(waiter, "MPI_Irecv", [&](MPI_Request* request) {
      return MPI_Irecv(nowhere.data(), static_cast<int>(nowhere.size()), MPI_BYTE, rank, kTag, ranks_,
                       request);
    });
  }
}

// Without MPI_Cancel: every message gets its other half. Nobody sends or asks for more once it is here, and
// nobody leaves before all have what they asked for.
void MailState::settle(Waiter& waiter) {
  constexpr int kNumbers = sizeof(Traffic) / sizeof(std::int64_t);
  const std::vector<Traffic> mine = traffic_;
  std::vector<Traffic> theirs(mine.size());
  await(waiter, "MPI_Ialltoall", [&](MPI_Request* request) {
    return MPI_Ialltoall(mine.data(), kNumbers, MPI_INT64_T, theirs.data(), kNumbers, MPI_INT64_T, ranks_,
                         request);
  });
  for (std::size_t r = 0; r < theirs.size(); ++r)
    for (std::int64_t i = mine[r].sent; i < theirs[r].asked; ++i) send(static_cast<int>(r), {}, 0);
  for (std::size_t r = 0; r < theirs.size(); ++r) take_excess(waiter, static_cast<int>(r), theirs[r]);
  waiter.until([&] {
    look([](std::int64_t, std::int64_t) {});
    return requests_.empty();
  });
  await(waiter, "MPI_Ibarrier", [&](MPI_Request* request) { return MPI_Ibarrier(ranks_, request); });
  std::fill(traffic_.begin(), traffic_.end(), Traffic{});
}

void MailState::close(Session::Implementation& session) {
  session.errand = nullptr;
  settle(session.waiter);
  session.retired.push_back(ranks_);
}

Mail::Mail(Session& session) : session_(session.implementation()) {
  const auto clock = session_.watch_inside_mpi("mail");
  state_ = std::make_shared<MailState>(session_.world, session_.size);
  session_.mails.push_back(state_);
}

Mail::~Mail() { session_.errand = nullptr; }

void Mail::send(int rank, std::span<const std::byte> bytes, std::int64_t ticket) {
  state_->send(rank, bytes, ticket);
}

void Mail::receive(int rank, std::span<std::byte> bytes, std::int64_t ticket) {
  state_->receive(rank, bytes, ticket);
}

void Mail::look(const Ended& ended) { state_->look(ended); }

void Mail::while_waiting(std::function<void()> errand) { session_.errand = std::move(errand); }

void Mail::settle() {
  session_.errand = nullptr;
  state_->settle(session_.waiter);
}

}  // namespace nntrain::comm
