// Preloaded into the ranks of rank_failures.sh: ways to fail that no signal from outside has. A real-time
// signal chooses one, and the rank fails at once (exit) or when it next takes memory (an exception, no memory
// left): as a fault in the program would, and without any hook in the program itself.

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <new>
#include <stdexcept>

namespace {

enum Way : int { kNone, kException, kNoMemory };

std::atomic<int> way{kNone};

void choose(int signal) {
  if (signal == SIGRTMIN + 1) std::_Exit(1);
  way.store(signal == SIGRTMIN + 2 ? kException : kNoMemory);
}

struct Installer {
  Installer() {
    struct sigaction action {};
    action.sa_handler = choose;
    for (int i = 1; i <= 3; ++i) sigaction(SIGRTMIN + i, &action, nullptr);
  }
} installer;

void* take(std::size_t bytes) {
  switch (way.load(std::memory_order_relaxed)) {
    case kException:
      way.store(kNone);  // what handles it takes memory too
      throw std::runtime_error("a fault of this test");
    case kNoMemory:
      way.store(kNone);
      throw std::bad_alloc();
    default:
      break;
  }
  void* memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return take(bytes); }
void* operator new[](std::size_t bytes) { return take(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
