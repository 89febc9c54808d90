#pragma once
// To whom this process speaks in vain, as the system's table of connections tells: inside MPI nobody can be
// asked.

#include <cstdint>
#include <istream>
#include <set>
#include <string>
#include <vector>

namespace nntrain::comm {

/// Addresses, each once, of the other ends of those connections in a table such as /proc/net/tcp that belong
/// to these sockets and do not answer: they are being opened, or their data have been sent several times.
std::vector<std::string> unanswered_addresses(std::istream& table, const std::set<std::int64_t>& sockets);

/// Those of this process, with names: "node2 (10.1.0.7), 10.1.0.8"; empty where all answer. Names are waited
/// for a second at most. Local.
std::string unanswered_hosts();

}  // namespace nntrain::comm
