#include "cli/last_words.h"

#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>

namespace nntrain::cli {

namespace {

/// A handler can be given nothing, and there may be no memory left when it is called.
std::array<char, 320> speaker{};

void say(const char* what) {
  std::array<iovec, 4> parts{};
  std::size_t count = 0;
  for (const char* const text : {"\n", static_cast<const char*>(speaker.data()), what, "\n"})
    parts.at(count++) = {const_cast<char*>(text), std::strlen(text)};
  // One write, so that blocks of several ranks do not interleave.
  if (writev(STDERR_FILENO, parts.data(), static_cast<int>(count)) < 0) std::_Exit(1);
}

[[noreturn]] void end() {
  try {
    if (std::current_exception() == nullptr) {
      say("internal: std::terminate without an exception");
      std::_Exit(1);
    }
    throw;
  } catch (const std::bad_alloc&) {
    say("out of memory");
  } catch (const std::exception& error) {
    say(error.what());
  } catch (...) {
    say("internal: an exception without words");
  }
  std::_Exit(1);
}

}  // namespace

void say_last_words(const std::string& who) {
  speaker.fill('\0');
  who.copy(speaker.data(), speaker.size() - 1);
  std::set_terminate(end);
}

}  // namespace nntrain::cli
