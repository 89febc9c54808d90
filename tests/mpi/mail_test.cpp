// Messages that go on beside everything else, and what becomes of those that are given up.

#include "comm/session/mail.h"

#include <cstring>
#include <functional>
#include <map>
#include <vector>

#include "mpi_main.h"

namespace nntrain::comm {
namespace {

/// Below and above the length from which Open MPI asks the receiver first.
const std::vector<std::size_t> kLengths = {0, 10, 3'000'000, 1, 70'000};

std::vector<std::byte> bytes_of(int rank, std::size_t length) {
  return std::vector<std::byte>(length, static_cast<std::byte>(rank + 1));
}

int next_of(const Session& session) { return (session.rank() + 1) % session.size(); }
int last_of(const Session& session) { return (session.rank() + session.size() - 1) % session.size(); }

TEST(Mail, MessagesOfAnyLengthArriveInOrder) {
  Session& session = mpi_test::session();
  Mail mail(session);
  std::vector<std::vector<std::byte>> sent, received;
  std::map<std::int64_t, std::int64_t> ended;
  for (std::size_t i = 0; i < kLengths.size(); ++i) {
    sent.push_back(bytes_of(session.rank(), kLengths[i]));
    received.emplace_back(std::size_t{3'000'000});
  }
  for (int r = 0; r < session.size(); ++r) {
    if (r == session.rank()) continue;
    ended.clear();
    for (std::size_t i = 0; i < kLengths.size(); ++i) {
      const auto ticket = static_cast<std::int64_t>(i);
      mail.receive(r, received[i], ticket);
      mail.send(r, sent[i], 100 + ticket);
    }
    while (ended.size() < 2 * kLengths.size())
      mail.look(
          [&](std::int64_t ticket, std::int64_t bytes) { EXPECT_TRUE(ended.emplace(ticket, bytes).second); });
    for (std::size_t i = 0; i < kLengths.size(); ++i) {
      const auto ticket = static_cast<std::int64_t>(i), length = static_cast<std::int64_t>(kLengths[i]);
      EXPECT_EQ(ended[ticket], length);
      EXPECT_EQ(ended[100 + ticket], length);
      const std::vector<std::byte> expected = bytes_of(r, kLengths[i]);
      EXPECT_EQ(std::memcmp(received[i].data(), expected.data(), expected.size()), 0);
    }
  }
  mail.settle();
}

TEST(Mail, SettlingEndsWhatHasNoOtherHalf) {
  Session& session = mpi_test::session();
  Mail mail(session);
  const std::vector<std::byte> sent = bytes_of(session.rank(), 3'000'000);
  std::vector<std::vector<std::byte>> received(5, sent);
  for (int turn = 0; turn < 3; ++turn) {
    // Even ranks send more than they are asked for, odd ones ask for more than they are sent.
    const int sends = session.rank() % 2 == 0 ? 3 : 1, asks = session.rank() % 2 == 0 ? turn : 5;
    for (int i = 0; i < sends; ++i)
      mail.send(next_of(session), std::span(sent).first(i % 2 == 0 ? sent.size() : 5), i);
    for (int i = 0; i < asks; ++i) mail.receive(last_of(session), received[static_cast<std::size_t>(i)], i);
    mail.settle();
    mail.look([](std::int64_t, std::int64_t) { FAIL() << "a message of before"; });
    // What comes after it is not taken for what was before.
    mail.receive(last_of(session), received[0], 7);
    mail.send(next_of(session), std::span(sent).first(9), 8);
    int ended = 0;
    while (ended < 2)
      mail.look([&](std::int64_t ticket, std::int64_t bytes) {
        EXPECT_TRUE(ticket == 7 || ticket == 8);
        EXPECT_EQ(bytes, 9);
        ++ended;
      });
    EXPECT_EQ(received[0][8], static_cast<std::byte>(last_of(session) + 1));
  }
  mail.settle();
}

/// Rank 0 waits for rank 1, which waits for what rank 0 sends when it is asked: in every kind of wait.
TEST(Mail, ItsErrandIsDoneWhileARankWaits) {
  Session& session = mpi_test::session();
  Mail mail(session);
  const std::vector<std::byte> answer = bytes_of(0, 3'000'000);
  std::vector<std::byte> question(1), received(answer.size());
  const std::vector<std::function<void()>> waits = {
      [&] { session.barrier(); }, [&] { session.broadcast_text("", 1); }, [&] { session.maximum(1.0); },
      [&] { collectively(session, "wait", [] {}); }};
  for (const auto& wait : waits) {
    bool answered = false;
    if (session.rank() == 0) {
      mail.receive(1, question, 1);
      mail.while_waiting([&] {
        mail.look([&](std::int64_t ticket, std::int64_t) {
          if (ticket == 1) mail.send(1, answer, 2);
          answered = answered || ticket == 2;
        });
      });
    } else if (session.rank() == 1) {
      mail.send(0, std::span(answer).first(1), 3);
      mail.receive(0, received, 4);
      bool came = false;
      while (!came) mail.look([&](std::int64_t ticket, std::int64_t) { came = came || ticket == 4; });
      EXPECT_EQ(received.back(), answer.back());
    }
    wait();
    mail.settle();
  }
}

/// The mail goes, and the memory: the session ends what is under way, and MPI_Finalize has nothing to wait
/// for.
TEST(Mail, WhatIsUnderWayAtTheEndIsTheSessions) {
  Session& session = mpi_test::session();
  static const std::vector<std::byte> sent = bytes_of(session.rank(), 3'000'000);
  static std::vector<std::byte> received(sent.size());
  {
    Mail mail(session);
    mail.send(next_of(session), sent, 1);
    if (session.rank() == 0) mail.receive(last_of(session), received, 2);
  }
  session.release_unused();
  Mail mail(session);
  if (session.rank() == 0) mail.receive(last_of(session), received, 2);
}

}  // namespace
}  // namespace nntrain::comm
