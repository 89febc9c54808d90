#include "comm/session/unanswered.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

namespace nntrain::comm {

namespace {

/// The sockets that this process has open: numbers as in "socket:[12345]".
std::set<std::int64_t> my_sockets() {
  constexpr std::string_view kPrefix = "socket:[";
  std::set<std::int64_t> sockets;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const std::string target = std::filesystem::read_symlink(entry.path(), error).string();
    std::int64_t number = 0;
    if (target.starts_with(kPrefix) &&
        std::from_chars(target.data() + kPrefix.size(), target.data() + target.size(), number).ec ==
            std::errc())
      sockets.insert(number);
  }
  return sockets;
}

std::string name_of(const std::string& address) {
  sockaddr_in form{};
  form.sin_family = AF_INET;
  std::array<char, NI_MAXHOST> name{};
  const bool known = inet_pton(AF_INET, address.c_str(), &form.sin_addr) == 1 &&
                     getnameinfo(reinterpret_cast<const sockaddr*>(&form), sizeof(form), name.data(),
                                 name.size(), nullptr, 0, NI_NAMEREQD) == 0;
  return known ? std::string(name.data()) + " (" + address + ")" : address;
}

std::string names_of(const std::vector<std::string>& addresses) {
  std::string text;
  for (const std::string& address : addresses) text += (text.empty() ? "" : ", ") + name_of(address);
  return text;
}

std::string joined(const std::vector<std::string>& addresses) {
  std::string text;
  for (const std::string& address : addresses) text += (text.empty() ? "" : ", ") + address;
  return text;
}

}  // namespace

std::vector<std::string> unanswered_addresses(std::istream& table, const std::set<std::int64_t>& sockets) {
  constexpr std::string_view kOpening = "02", kOpen = "01";
  constexpr int kSentAgain = 2;
  constexpr std::size_t kMost = 8;
  std::vector<std::string> addresses;
  for (std::string line; std::getline(table, line) && addresses.size() < kMost;) {
    // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
    std::istringstream fields(line);
    std::string number, local, remote, state, queues, timer, sent_again, user, timeout;
    std::int64_t socket = 0;
    if (!(fields >> number >> local >> remote >> state >> queues >> timer >> sent_again >> user >> timeout >>
          socket) ||
        !sockets.contains(socket))
      continue;
    int again = 0;
    std::from_chars(sent_again.data(), sent_again.data() + sent_again.size(), again, 16);
    if (state != kOpening && (state != kOpen || again < kSentAgain)) continue;
    in_addr address{};  // "0100007F:1F90": as it lies in memory
    std::from_chars(remote.data(), remote.data() + remote.find(':'), address.s_addr, 16);
    std::array<char, INET_ADDRSTRLEN> text{};
    inet_ntop(AF_INET, &address, text.data(), text.size());
    if (std::find(addresses.begin(), addresses.end(), text.data()) == addresses.end())
      addresses.emplace_back(text.data());
  }
  return addresses;
}

std::string unanswered_hosts() {
  std::ifstream table("/proc/self/net/tcp");
  const std::vector<std::string> addresses = unanswered_addresses(table, my_sockets());
  if (addresses.empty()) return "";
  // A name server may be out of reach as well.
  std::packaged_task<std::string()> look_up([addresses] { return names_of(addresses); });
  std::future<std::string> names = look_up.get_future();
  std::thread(std::move(look_up)).detach();
  return names.wait_for(std::chrono::seconds(1)) == std::future_status::ready ? names.get()
                                                                              : joined(addresses);
}

}  // namespace nntrain::comm
