#pragma once
// The MPI session of a run: who I am, which ranks share my node, how errors end every rank. The floor
// `comm` is the only one that includes <mpi.h>.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "comm/session/mpi_watch.h"
#include "core/error.h"

namespace nntrain::comm {

/// An error that every rank throws alike (collectively() made it so): it passes through outer collectively()
/// calls untouched, and the program may end in order instead of aborting.
class SharedError : public Error {
 public:
  using Error::Error;
};

/// MPI_Init_thread .. close(): MPI_Finalize, or the ranks of a communicator that an embedding program gives.
/// Ranks are ordered node by node, so that every node's ranks hold contiguous shards (rank 0 is the
/// communicator's rank 0). The destructor does not communicate: where close() was not called, the program's
/// own session aborts the job (an exception is unwinding while others are at work), one of an embedding
/// program leaves its memory to MPI_Finalize. Environment NNTRAIN_RANKS_PER_NODE=k cuts a node into virtual
/// nodes of k ranks (tests of the several-node paths on one machine); =1 also switches shared memory off.
class Session {
 public:
  /// Throws InputError, with the cure, when this looks like N single runs because the launcher lacks the
  /// right MPI plug-in: Slurm, PMI, PMIx, Open MPI, Hydra, ALPS, PALS or WORLD_SIZE say that several
  /// processes were started, while MPI sees one rank. `patience` is asked, by another thread, when the start
  /// takes long: ranks that never come end the job (MpiWatch).
  Session(int& argc, char**& argv, const std::function<Patience()>& patience = {});
  /// On the ranks of a communicator of the embedding program (MPI_Comm_c2f of it), which has called MPI_Init
  /// and finds MPI as it was after close(). Collective over them.
  explicit Session(int fortran_communicator);
  ~Session();
  /// Collective. Gives windows and communicators back; ends MPI if this session began it. Nothing may follow.
  void close();
  /// Collective. Gives back what arrays and exchanges that are gone had: between two runs of one session.
  void release_unused();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// A session of this rank by itself, beside this one and ending before it: a run of one rank. What happens
  /// in it is nobody else's business, so the other ranks must know to wait. Local.
  std::unique_ptr<Session> alone() const;

  int rank() const;
  int size() const;
  bool is_root() const { return rank() == 0; }
  int node() const;  ///< index of my node
  int nodes() const;
  int local_rank() const;                      ///< my index on the node
  int local_size() const;                      ///< ranks on my node
  const std::vector<int>& node_sizes() const;  ///< ranks of each node, in rank order
  const std::string& host() const;
  int available_cores() const;  ///< cores that this node's ranks may use together (affinity masks joined)
  static std::string library_version();  ///< "Open MPI 4.1.4"

  /// Prints one block on stderr ([rank r on host], the cause) and MPI_Aborts every rank with `code`.
  [[noreturn]] void abort(ExitCode code, const std::string& message) noexcept;

  /// When ranks have waited for another for so long, they end the job and name it (600 s unless told;
  /// infinity: never). `text` is what messages call it. The same on all ranks.
  void end_stalls_after(double seconds, const std::string& text);
  /// For waits that are none of this session's, for another rank all the same: to be called several times a
  /// second from the first second on, with the seconds waited. Notes and ends stalls as its own waits do.
  /// Local.
  void look_while_waiting(double seconds);

  // Collective over all ranks.
  void barrier();
  void broadcast(std::span<std::byte> data, int root = 0);
  std::string broadcast_text(const std::string& text, int root = 0);
  /// Every rank's bytes, in rank order, on every rank.
  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> mine);
  /// Every rank's bytes, in rank order, on rank 0 (empty elsewhere).
  std::vector<std::vector<std::byte>> gather(std::span<const std::byte> mine);
  /// 64-bit minimum / maximum over ranks (integers only: no floating-point MPI_SUM anywhere).
  std::int64_t minimum(std::int64_t value);
  std::int64_t maximum(std::int64_t value);
  double maximum(double value);
  double minimum(double value);
  // Collective over the ranks of one node.
  void node_barrier();
  void node_broadcast(std::span<std::byte> data);  ///< from local rank 0

  struct Implementation;
  Implementation& implementation() { return *impl_; }

 private:
  Session();

  std::unique_ptr<Implementation> impl_;
};

/// Runs `work` on every rank; when any throws, all throw the same Error: the code and message of the first
/// failing rank, with "[rank r on host]" and how many ranks failed. Collective.
void collectively(Session& session, std::string_view what, const std::function<void()>& work);

/// Memory that the ranks of one node share (MPI-3 shared window), zero-filled, 64-byte aligned. When
/// /dev/shm has no room or there is one rank per node, plain memory of the only rank. Collective over the
/// node; freed by free() (collective) or at the end of the session; the destructor does not communicate.
class SharedArray {
 public:
  SharedArray();
  SharedArray(SharedArray&&) noexcept;
  SharedArray& operator=(SharedArray&&) noexcept;
  ~SharedArray();
  /// One array of `bytes` for the node. Throws RuntimeError on all ranks of the node when there is no room
  /// in /dev/shm (both sizes named, and the cure).
  static SharedArray allocate(Session& session, std::int64_t bytes);
  /// The same, but nothing when there is no room.
  static std::optional<SharedArray> try_allocate(Session& session, std::int64_t bytes);
  std::span<std::byte> bytes() const;
  void free();  ///< collective over the node; the array is empty afterwards
  template <class T>
  std::span<T> as() const {
    return {reinterpret_cast<T*>(bytes().data()), bytes().size() / sizeof(T)};
  }

 private:
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
};

}  // namespace nntrain::comm
