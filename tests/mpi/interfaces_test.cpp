// Networks of several hosts; no communication.

#include "comm/session/interfaces.h"

#include "mpi_main.h"

namespace nntrain::comm {
namespace {

const Interface kDocker{"docker0", "172.17.0.1", "172.17.0.0/16"};

Interface cable(const std::string& address) { return {"eth0", address, "10.1.0.0/16"}; }

TEST(Interfaces, ThisHostsAreNoLoopback) {
  for (const Interface& mine : my_interfaces()) {
    EXPECT_FALSE(mine.name.empty());
    EXPECT_NE(mine.address.substr(0, 4), "127.");
    EXPECT_NE(mine.network.find('/'), std::string::npos);
  }
}

TEST(Interfaces, NothingIsSaidOfOneHostOrOfOneNetwork) {
  EXPECT_TRUE(interface_notes({}).empty());
  EXPECT_TRUE(interface_notes({{"a", {}}}).empty());
  EXPECT_TRUE(interface_notes({{"a", {cable("10.1.0.1"), kDocker}}, {"b", {cable("10.1.0.2")}}}).empty());
}

TEST(Interfaces, AnAddressThatEveryHostHasLeadsNowhere) {
  const auto notes = interface_notes({{"a", {kDocker, cable("10.1.0.1")}},
                                      {"b", {kDocker, cable("10.1.0.2")}},
                                      {"c", {kDocker, cable("10.1.0.3")}}});
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].find("docker0 has the address 172.17.0.1 on a and on b"), 0U) << notes[0];
  EXPECT_NE(notes[0].find("OMPI_MCA_btl_tcp_if_include=10.1.0.0/16"), std::string::npos) << notes[0];
}

TEST(Interfaces, HostsWithoutACommonNetworkAreSaid) {
  const auto notes =
      interface_notes({{"a", {cable("10.1.0.1")}}, {"b", {{"ib0", "192.168.4.2", "192.168.4.0/24"}}}});
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes[0].find("a: eth0 10.1.0.0/16; b: ib0 192.168.4.0/24"), std::string::npos) << notes[0];
}

}  // namespace
}  // namespace nntrain::comm
