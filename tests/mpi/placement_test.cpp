#include "comm/session/placement.h"

#include "mpi_main.h"

namespace nntrain::comm {
namespace {

using Cpus = std::vector<int>;

RankPlace place(const std::string& host, int node, int available, const Cpus& cores) {
  return {host, node, available, cores, cores, {0}};
}

TEST(Placement, EveryRankKnowsAll) {
  Session& session = mpi_test::session();
  const std::vector<RankPlace> places = rank_places(session);
  ASSERT_EQ(static_cast<int>(places.size()), session.size());
  const RankPlace& mine = places[static_cast<std::size_t>(session.rank())];
  EXPECT_EQ(mine.host, session.host());
  EXPECT_EQ(mine.node, session.node());
  EXPECT_EQ(mine.available_cores, session.available_cores());
  EXPECT_FALSE(mine.cpus.empty());
  EXPECT_LE(mine.cores.size(), mine.cpus.size());
}

TEST(Placement, NothingIsSaidOfCoresEnough) {
  EXPECT_TRUE(placement_notes({place("a", 0, 4, {0}), place("a", 0, 4, {1})}).empty());
  EXPECT_TRUE(placement_notes({place("a", 0, 2, {0, 1}), place("a", 0, 2, {0, 1})}).empty());
  // The same numbers on another host are other cores.
  EXPECT_TRUE(placement_notes({place("a", 0, 4, {0}), place("b", 1, 4, {0})}).empty());
}

TEST(Placement, ACrowdedHostIsNamedWhicheverItIs) {
  const auto notes = placement_notes({place("a", 0, 2, {0, 1}), place("b", 1, 2, {0, 1}),
                                      place("b", 1, 2, {0, 1}), place("b", 1, 2, {0, 1})});
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].find("3 ranks on b where they may use 2 cores"), 0U) << notes[0];
}

TEST(Placement, RanksThatShareACoreByTheirBindingAreNamed) {
  const auto notes = placement_notes(
      {place("a", 0, 4, {2}), place("a", 0, 4, {0, 1}), place("a", 0, 4, {2}), place("b", 1, 4, {3})});
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].find("ranks 0 and 2 on a are bound to the same core 2"), 0U) << notes[0];
  EXPECT_NE(notes[0].find("--bind-to core"), std::string::npos);
}

/// Two hardware threads of one core have one core's number.
TEST(Placement, HardwareThreadsOfACoreAreOneCore) {
  const RankPlace one{"a", 0, 8, {0}, {0}, {}}, other{"a", 0, 8, {4}, {0}, {}};
  EXPECT_EQ(placement_notes({one, other}).size(), 1U);
}

using Lines = std::vector<std::string>;

/// Hosts that are alike have one line.
TEST(Placement, RanksCoresAndNumaNodesOfEveryHost) {
  std::vector<RankPlace> places;
  for (int node = 0; node < 2; ++node)
    for (const int core : {0, 1, 8, 9})
      places.push_back({node == 0 ? "a" : "b", node, 4, {core}, {core}, {core / 8}});
  places.push_back(place("c", 2, 4, {0, 1, 2, 3}));
  places.push_back(place("c", 2, 4, {0, 1, 2, 3}));
  EXPECT_EQ(
      placement_lines(places),
      (Lines{"2 hosts of 4 ranks on 4 cores, 2 NUMA nodes (2 + 2 ranks), each rank bound to 1 core: a, b",
             "2 ranks on 4 cores, 1 NUMA node, not bound: c"}));
  EXPECT_EQ(placement_lines({{"a", 0, 8, {0, 1}, {0, 1}, {}}}), (Lines{"1 rank on 8 cores: a"}));
}

/// A rank that may run on several NUMA nodes belongs to none of them.
TEST(Placement, RanksThatMayRunAnywhereAreOfNoNumaNode) {
  const RankPlace free{"a", 0, 4, {0, 1, 2, 3}, {0, 1, 2, 3}, {0, 1}};
  EXPECT_EQ(placement_lines({free, free}), (Lines{"2 ranks on 4 cores, 2 NUMA nodes, not bound: a"}));
}

}  // namespace
}  // namespace nntrain::comm
