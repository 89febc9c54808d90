#pragma once
// Long messages from rank to rank, which move while ranks compute and while they wait for one another.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "comm/session/session.h"

namespace nntrain::comm {

class MailState;

/// Messages between two ranks arrive in the order in which they were sent and asked for. Where a mail is
/// given up, settle() first: its messages read and write memory that is not its own. An error that all ranks
/// share may leave that to the session's close().
class Mail {
 public:
  using Ended = std::function<void(std::int64_t ticket, std::int64_t bytes)>;
  static constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;  ///< of a message

  /// Collective over all ranks.
  explicit Mail(Session& session);
  ~Mail();  ///< local
  Mail(const Mail&) = delete;
  Mail& operator=(const Mail&) = delete;

  /// Begins to send to, or to receive from, another rank; what look() will tell is the `ticket`. Until then
  /// the memory is the message's. Local.
  void send(int rank, std::span<const std::byte> bytes, std::int64_t ticket);
  void receive(int rank, std::span<std::byte> bytes, std::int64_t ticket);
  /// Tells the messages that have ended since the last look, and the bytes that were sent or that arrived: at
  /// most those that there was room for. Local.
  void look(const Ended& ended);

  /// `errand` is called over and over while this rank waits for others, here or in an exchange: it may send,
  /// receive and look, and must not wait. One at a time in a session, until settle() or the mail's end.
  void while_waiting(std::function<void()> errand);
  /// Ends all messages without a word of them: what was sent and not asked for is thrown away, what was asked
  /// for and not sent stays empty. Collective over all ranks.
  void settle();

 private:
  Session::Implementation& session_;
  std::shared_ptr<MailState> state_;
};

}  // namespace nntrain::comm
