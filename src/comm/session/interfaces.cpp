#include "comm/session/interfaces.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <array>
#include <bit>
#include <map>
#include <set>

namespace nntrain::comm {

namespace {

std::string text_of(std::uint32_t address) {  // in network order
  std::array<char, INET_ADDRSTRLEN> text{};
  const in_addr form{address};
  return inet_ntop(AF_INET, &form, text.data(), text.size()) == nullptr ? "" : text.data();
}

std::uint32_t number_of(const sockaddr* address) {
  return reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr;
}

std::string option_for(const std::string& network) {
  return fmt::format("export OMPI_MCA_btl_tcp_if_include={0} OMPI_MCA_oob_tcp_if_include={0}", network);
}

/// The first network in which each host has an address of its own.
std::string common_network(const std::vector<HostInterfaces>& hosts) {
  for (const Interface& candidate : hosts.front().second) {
    std::set<std::string> addresses;
    for (const auto& [host, interfaces] : hosts)
      for (const Interface& interface : interfaces)
        if (interface.network == candidate.network) {
          addresses.insert(interface.address);
          break;
        }
    if (addresses.size() == hosts.size()) return candidate.network;
  }
  return "";
}

}  // namespace

std::vector<Interface> my_interfaces() {
  std::vector<Interface> all;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return all;
  for (const ifaddrs* i = list; i != nullptr; i = i->ifa_next) {
    const bool counts = i->ifa_addr != nullptr && i->ifa_addr->sa_family == AF_INET &&
                        i->ifa_netmask != nullptr && (i->ifa_flags & IFF_UP) != 0 &&
                        (i->ifa_flags & IFF_LOOPBACK) == 0;
    if (!counts) continue;
    const std::uint32_t address = number_of(i->ifa_addr), mask = number_of(i->ifa_netmask);
    all.push_back(
        {i->ifa_name, text_of(address), fmt::format("{}/{}", text_of(address & mask), std::popcount(mask))});
  }
  freeifaddrs(list);
  return all;
}

std::vector<std::string> interface_notes(const std::vector<HostInterfaces>& hosts) {
  std::vector<std::string> notes;
  if (hosts.size() < 2) return notes;
  const std::string common = common_network(hosts);
  if (common.empty()) {
    std::string seen;
    for (const auto& [host, interfaces] : {hosts.front(), hosts.back()}) {
      seen += (seen.empty() ? "" : "; ") + host + ":";
      for (const Interface& interface : interfaces) seen += " " + interface.name + " " + interface.network;
    }
    notes.push_back("no network has all hosts (" + seen +
                    "): messages between them need a router; where they wait for ever, name the networks in "
                    "OMPI_MCA_btl_tcp_if_include and OMPI_MCA_oob_tcp_if_include");
  }
  std::map<std::string, std::pair<std::string, std::string>> owners;  // of an address: interface, host
  std::set<std::string> said;
  for (const auto& [host, interfaces] : hosts)
    for (const Interface& interface : interfaces) {
      const auto [owner, is_new] = owners.try_emplace(interface.address, interface.name, host);
      if (is_new || owner->second.second == host || !said.insert(interface.address).second) continue;
      notes.push_back(fmt::format(
          "{} has the address {} on {} and on {}: messages to it never leave their host, and ranks may wait "
          "for ever; name the network that joins the hosts: {}",
          interface.name, interface.address, owner->second.second, host,
          common.empty() ? "OMPI_MCA_btl_tcp_if_include, OMPI_MCA_oob_tcp_if_include" : option_for(common)));
    }
  return notes;
}

}  // namespace nntrain::comm
