#pragma once
// The networks of this host, and those that lead nowhere.

#include <string>
#include <utility>
#include <vector>

namespace nntrain::comm {

/// An interface that is up, with an IPv4 address, and not the loopback.
struct Interface {
  std::string name;     ///< "eth0"
  std::string address;  ///< "10.1.0.7"
  std::string network;  ///< "10.1.0.0/16", as btl_tcp_if_include takes it
};

/// Of this host, in the system's order. Local.
std::vector<Interface> my_interfaces();

/// A host's name and its interfaces.
using HostInterfaces = std::pair<std::string, std::vector<Interface>>;

/// What is wrong between several hosts: an address that more than one of them has (Docker's bridge is the
/// same everywhere, and a message to it never leaves the host), or no network that all have. With the option
/// that cures it; empty where nothing is wrong, or for one host. Pure.
std::vector<std::string> interface_notes(const std::vector<HostInterfaces>& hosts);

}  // namespace nntrain::comm
