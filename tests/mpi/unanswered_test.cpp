// Connections that do not answer, in tables as the system writes them; no communication.

#include "comm/session/unanswered.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sstream>

#include "comm/session/process_state.h"
#include "mpi_main.h"

namespace nntrain::comm {
namespace {

using Addresses = std::vector<std::string>;

const char* const kTable =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100\n"
    "   1: 0100630A:C1F2 0200630A:0400 02 00000001:00000000 01:00000A13 00000003     0        0 12 2 0 800\n"
    "   2: 0100630A:C1F3 0300630A:0400 01 00000010:00000000 01:00000A13 00000004     0        0 13 2 0 800\n"
    "   3: 0100630A:C1F4 0400630A:0400 01 00000000:00000000 00:00000000 00000000     0        0 14 2 0 800\n"
    "   4: 0100630A:C1F5 0200630A:0401 02 00000001:00000000 01:00000A13 00000003     0        0 15 2 0 800\n"
    "   5: 0100630A:C1F6 0500630A:0400 02 00000001:00000000 01:00000A13 00000003     0        0 16 2 0 800\n"
    "half a line\n";

TEST(Unanswered, ConnectionsThatBeginOrSendAgainAreNamedOnce) {
  std::istringstream table(kTable);
  EXPECT_EQ(unanswered_addresses(table, {11, 12, 13, 14, 15}), (Addresses{"10.99.0.2", "10.99.0.3"}));
}

TEST(Unanswered, OtherProcessesConnectionsAreTheirs) {
  std::istringstream table(kTable);
  EXPECT_EQ(unanswered_addresses(table, {14}), Addresses{});
}

/// As Open MPI 4.1 tells the ranks of other hosts, and in the command line with which it starts them.
TEST(Unanswered, HostsOfAJob) {
  EXPECT_EQ(hosts_in("orte_node_regex=head,node[1:1-3]@0(4)"), "head,node[1:1-3]");
  const std::string arguments[] = {"orted", "-mca", "orte_node_regex", "node[1:1-2]@0(2)", "-mca", "plm"};
  std::string line;
  for (const std::string& argument : arguments) line += argument + '\0';
  EXPECT_EQ(hosts_in(line), "node[1:1-2]");
  EXPECT_EQ(hosts_in("ssh -x b PATH=/bin orted -mca orte_node_regex \"a,b@0(2)\" -mca plm \"rsh\""), "a,b");
  EXPECT_EQ(hosts_in("orted -mca orte_node_regex"), "");
  EXPECT_EQ(hosts_in("mpirun -np 4 program"), "");
}

/// A connection of this process that gets no answer: the queue of whoever listens is full.
TEST(Unanswered, ThisProcessFindsItsOwn) {
  EXPECT_EQ(unanswered_hosts(), "");
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(listener, 0), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), 0);
  std::vector<int> callers;
  for (int i = 0; i < 8; ++i) {
    callers.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    connect(callers.back(), reinterpret_cast<sockaddr*>(&address), length);
  }
  EXPECT_NE(unanswered_hosts().find("127.0.0.1"), std::string::npos);
  for (const int caller : callers) close(caller);
  close(listener);
}

}  // namespace
}  // namespace nntrain::comm
