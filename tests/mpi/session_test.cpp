#include "comm/session/session.h"

#include <dlfcn.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string>

#include "mpi_main.h"

namespace nntrain::comm {
namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::string message_of(int rank) {
  return std::string(static_cast<std::size_t>(3 * rank), 'x') + std::to_string(rank);
}

int environment_number(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? -1 : std::atoi(value);
}

TEST(Session, NodesAreContiguousRanks) {
  Session& session = mpi_test::session();
  const auto& sizes = session.node_sizes();
  ASSERT_EQ(static_cast<int>(sizes.size()), session.nodes());
  EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), 0), session.size());
  const int before = std::accumulate(sizes.begin(), sizes.begin() + session.node(), 0);
  EXPECT_EQ(session.rank(), before + session.local_rank());
  EXPECT_EQ(session.local_size(), sizes[static_cast<std::size_t>(session.node())]);
  EXPECT_GE(session.available_cores(), 1);
  const int per_node = environment_number("NNTRAIN_RANKS_PER_NODE");
  const int expected_nodes = per_node < 0 ? 1 : (session.size() + per_node - 1) / per_node;
  EXPECT_EQ(session.nodes(), expected_nodes);
  EXPECT_EQ(Session::library_version().find(','), std::string::npos);
  EXPECT_FALSE(session.host().empty());
}

TEST(Session, BroadcastsFromAnyRoot) {
  Session& session = mpi_test::session();
  for (int root = 0; root < session.size(); ++root) {
    EXPECT_EQ(session.broadcast_text(session.rank() == root ? message_of(root) : "other", root),
              message_of(root));
  }
  EXPECT_EQ(session.broadcast_text("", 0), "");
}

TEST(Session, GathersPartsOfUnequalLength) {
  Session& session = mpi_test::session();
  const auto all = session.all_gather(bytes_of(message_of(session.rank())));
  ASSERT_EQ(static_cast<int>(all.size()), session.size());
  for (int r = 0; r < session.size(); ++r)
    EXPECT_EQ(all[static_cast<std::size_t>(r)], bytes_of(message_of(r)));

  const auto on_root = session.gather(bytes_of(message_of(session.rank())));
  ASSERT_EQ(static_cast<int>(on_root.size()), session.is_root() ? session.size() : 0);
  for (std::size_t r = 0; r < on_root.size(); ++r)
    EXPECT_EQ(on_root[r], bytes_of(message_of(static_cast<int>(r))));

  for (const auto& part : session.all_gather({})) EXPECT_TRUE(part.empty());
}

TEST(Session, SmallestAndLargest) {
  Session& session = mpi_test::session();
  const std::int64_t big = std::int64_t{1} << 60;
  EXPECT_EQ(session.minimum(big + session.rank()), big);
  EXPECT_EQ(session.maximum(big + session.rank()), big + session.size() - 1);
  EXPECT_EQ(session.minimum(0.5 - session.rank()), 1.5 - session.size());
  EXPECT_EQ(session.maximum(0.5 - session.rank()), 0.5);
}

TEST(Session, NodeBroadcastStaysOnTheNode) {
  Session& session = mpi_test::session();
  int value = session.rank();
  session.node_broadcast(std::as_writable_bytes(std::span(&value, 1)));
  EXPECT_EQ(value, session.rank() - session.local_rank());
  session.node_barrier();
}

/// The error that `work` ends in on this rank, or code kDone.
std::pair<ExitCode, std::string> outcome(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {ExitCode::kDone, ""};
}

void expect_same_everywhere(const std::string& text) {
  Session& session = mpi_test::session();
  for (const auto& other : session.all_gather(bytes_of(text))) EXPECT_EQ(other, bytes_of(text));
}

TEST(Collectively, NobodyThrowsWhenAllIsWell) {
  int calls = 0;
  collectively(mpi_test::session(), "count", [&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(Collectively, OneFailsAllThrowTheSame) {
  Session& session = mpi_test::session();
  for (int bad = 0; bad < session.size(); ++bad) {
    const auto [code, text] = outcome([&] {
      collectively(session, "read x.csv", [&] {
        if (session.rank() == bad) throw InputError("row 7 has 3 columns");
      });
    });
    EXPECT_EQ(code, ExitCode::kInput);
    EXPECT_NE(text.find("row 7 has 3 columns"), std::string::npos) << text;
    if (session.size() > 1) {
      EXPECT_NE(text.find("[rank " + std::to_string(bad) + " on "), std::string::npos) << text;
      EXPECT_NE(text.find("read x.csv"), std::string::npos) << text;
      EXPECT_NE(text.find("1 of " + std::to_string(session.size())), std::string::npos) << text;
    }
    expect_same_everywhere(text);
  }
}

TEST(Collectively, TheFirstOfSeveralFailuresIsTold) {
  Session& session = mpi_test::session();
  const auto [code, text] = outcome([&] {
    collectively(session, "open", [&] {
      if (session.rank() == 0) throw RuntimeError("cause of 0");
      throw InputError("cause of " + std::to_string(session.rank()));
    });
  });
  EXPECT_EQ(code, ExitCode::kRuntime);
  EXPECT_NE(text.find("cause of 0"), std::string::npos) << text;
  expect_same_everywhere(text);
}

TEST(Collectively, ForeignExceptionsAreRunTimeFailures) {
  Session& session = mpi_test::session();
  if (session.size() == 1) {
    EXPECT_THROW(collectively(session, "allocate", [] { throw std::bad_alloc(); }), std::bad_alloc);
    return;
  }
  const auto [code, text] =
      outcome([&] { collectively(session, "allocate", [] { throw std::bad_alloc(); }); });
  EXPECT_EQ(code, ExitCode::kRuntime);
  EXPECT_NE(text.find("out of memory"), std::string::npos) << text;
}

TEST(Collectively, NestedFailuresKeepTheirText) {
  Session& session = mpi_test::session();
  const int last = session.size() - 1;
  const auto [code, text] = outcome([&] {
    collectively(session, "outer", [&] {
      collectively(session, "inner", [&] {
        if (session.rank() == last) throw InputError("bad");
      });
    });
  });
  EXPECT_EQ(code, ExitCode::kInput);
  EXPECT_EQ(text.find("outer"), std::string::npos) << text;
  expect_same_everywhere(text);
}

TEST(Collectively, AFailureBeforeTheInnerCallReachesThoseInside) {
  Session& session = mpi_test::session();
  const int last = session.size() - 1;
  bool inner_done = false;
  const auto [code, text] = outcome([&] {
    collectively(session, "outer", [&] {
      if (session.rank() == last) throw InputError("early");
      collectively(session, "inner", [] {});
      inner_done = true;
    });
  });
  EXPECT_EQ(code, ExitCode::kInput);
  EXPECT_FALSE(inner_done);
  EXPECT_NE(text.find("early"), std::string::npos) << text;
  expect_same_everywhere(text);  // and the ranks still agree on which collective comes next
}

TEST(SharedArray, AllRanksOfANodeSeeOneArray) {
  Session& session = mpi_test::session();
  const bool no_room = environment_number("NNTRAIN_SHARED_BYTES") == 0;
  for (const std::int64_t bytes : {64, 100000, 5000001}) {
    if (no_room && session.local_size() > 1) {
      const auto [code, text] = outcome([&] { SharedArray::allocate(session, bytes); });
      EXPECT_EQ(code, ExitCode::kRuntime);
      EXPECT_NE(text.find("--shm-size"), std::string::npos) << text;
      continue;
    }
    SharedArray array = SharedArray::allocate(session, bytes);
    ASSERT_EQ(static_cast<std::int64_t>(array.bytes().size()), bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.bytes().data()) % 64, 0U);
    EXPECT_TRUE(std::all_of(array.bytes().begin(), array.bytes().end(),
                            [](std::byte b) { return b == std::byte{0}; }));
    session.node_barrier();
    array.as<int>()[static_cast<std::size_t>(session.local_rank())] = session.rank() + 1;
    array.bytes().back() = std::byte{7};  // the last byte is ours too
    session.node_barrier();
    for (int i = 0; i < session.local_size(); ++i)
      EXPECT_EQ(array.as<int>()[static_cast<std::size_t>(i)], session.rank() - session.local_rank() + i + 1);
    EXPECT_EQ(array.bytes().back(), std::byte{7});
    SharedArray moved = std::move(array);
    EXPECT_EQ(static_cast<std::int64_t>(moved.bytes().size()), bytes);
    moved.free();
    EXPECT_TRUE(moved.bytes().empty());
  }
}

TEST(SharedArray, MoreThanTheMachineHasIsRefusedNotKilled) {
  Session& session = mpi_test::session();
  const auto [code, text] = outcome([&] { SharedArray::allocate(session, std::int64_t{1} << 46); });
  EXPECT_EQ(code, ExitCode::kRuntime);
  EXPECT_FALSE(text.empty());
}

// It would print a stack trace, and wait for ever where the crash has left a lock of the allocator's held.
TEST(Session, ACrashIsNoBusinessOfOpenMpi) {
  for (const int number : {SIGABRT, SIGBUS, SIGFPE, SIGSEGV}) {
    struct sigaction now {};
    ASSERT_EQ(sigaction(number, nullptr, &now), 0);
    Dl_info library{};
    const bool known = now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN &&
                       dladdr(reinterpret_cast<const void*>(now.sa_sigaction), &library) != 0;
    EXPECT_EQ(known ? std::string(library.dli_fname).find("open-pal") : std::string::npos, std::string::npos)
        << library.dli_fname;
  }
}

}  // namespace
}  // namespace nntrain::comm
