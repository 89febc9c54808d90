#pragma once
// The traffic of one rank with the ranks of the same local index on other nodes, bucket by bucket: my node's
// sums out and theirs in; then results out and in. Everything is planned once; a step takes no memory.
//
//           what crosses      sums                       results
//   float32   4 bytes a float   of my node's shards        new values, straight from and into the values
//   bfloat16  2 bytes a float   the same, rounded already  sums over all shards, rounded already

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "comm/exchange/buckets.h"
#include "comm/exchange/messages.h"
#include "comm/exchange/sum_program.h"

namespace nntrain::comm {

class Peers {
 public:
  struct Plan {
    MPI_Comm world = MPI_COMM_NULL;
    Waiter* waiter = nullptr;  ///< one that makes no progress meanwhile: progress itself waits here
    const NodeMap* map = nullptr;
    const std::vector<Bucket>* buckets = nullptr;
    int shards = 1;
    SumFormat format = SumFormat::kFloat32;
    std::span<const float* const> node_gradients;  ///< whole flat arrays of my node's ranks, left to right
    std::span<const Range> made;  ///< where `make` makes my node's sums, instead of adding these arrays
    const Exchange::MakeNodeSums* make = nullptr;  ///< outlives the object
    float* sums = nullptr;                         ///< flat; sums over all shards lie here
    float* values = nullptr;                       ///< flat
  };
  explicit Peers(const Plan& plan);
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  // Sums. Local, except that what is sent must be expected by its receiver in the same step.
  void expect_sums();  ///< opens the receives of all buckets, and of the flags
  /// All ranks of my node have completed the bucket: adds, or makes, and sends what belongs to my peers. The
  /// gradients may not change until sums_have_left().
  void send_sums(std::size_t bucket);
  bool sums_have_left(std::size_t bucket);
  bool sums_have_arrived(std::size_t bucket);  ///< a look; when true, sums_of_node() holds them
  /// Does send_sums() make some of the bucket? It then makes or adds my node's sums for my own home, too.
  bool makes_sums(std::size_t bucket) const { return buckets_[bucket].own.makes; }
  /// The bucket's partial sums of node `j` for my home, one array per covering node of its shards. Of my own
  /// node where makes_sums() only.
  std::span<const float* const> sums_of_node(std::size_t bucket, int j) const;

  // Results.
  void expect_results();  ///< opens the receives; kFloat32: they write into the values from now on
  void send_results(std::size_t bucket);
  bool results_have_arrived(std::size_t bucket);  ///< a look; when true they lie in sums or values
  void finish_results();                          ///< what I sent has left, of all buckets

  // Flags, beside the sums.
  void send_flags(std::uint32_t flags);
  bool flags_have_arrived();
  std::uint32_t joined_flags() const;  ///< mine and my peers'

 private:
  struct Packed {  ///< floats, and where they lie as two bytes each
    float* floats = nullptr;
    std::uint16_t* halves = nullptr;
    std::int64_t count = 0;
    void pack() const { pack_bfloat16(floats, count, halves); }
    void unpack() const { unpack_bfloat16(halves, count, floats); }
  };
  struct Outgoing {                    ///< a bucket's sums for one peer
    std::vector<const float*> inputs;  ///< of partial_, at the start of the peer's home
    std::vector<float*> outputs;       ///< null where an input is sent itself
    std::vector<Packed> packed;        ///< kBfloat16
    std::int64_t count = 0;
  };
  struct Own {  ///< a bucket's sums of my node's shards for all homes of my local index, in one place
    bool makes = false;                ///< else only Outgoing's are added, and nothing here has memory
    Range range;                       ///< the homes, which are neighbours
    std::vector<const float*> inputs;  ///< of partial_, at range.begin
    std::vector<float*> sums;          ///< one per covering node, at range.begin
    std::vector<Range> added;          ///< what is not made, relative to range.begin
  };
  struct Traffic {
    Own own;
    std::vector<Outgoing> outgoing;                         ///< none where own.makes
    std::vector<std::vector<const float*>> of_node;         ///< sums for my home
    std::vector<Packed> packed_sums_in, packed_results_in;  ///< kBfloat16
    Packed packed_result_out;                               ///< kBfloat16
    Messages sums_out, sums_in, results_out, results_in;
  };
  void plan_own(const Plan& plan, std::size_t bucket);
  void plan_sends(const Plan& plan, std::size_t bucket, int j);
  void plan_receives(const Plan& plan, std::size_t bucket, int j);
  void plan_results(const Plan& plan, std::size_t bucket, int j);
  Range home(const Plan& plan, std::size_t bucket, int j) const;
  float* room_for_floats(std::int64_t count);
  Packed room_for_halves(const float* floats, std::int64_t count);

  Waiter* waiter_;
  const Exchange::MakeNodeSums* make_;
  SumFormat format_;
  SumProgram partial_;  ///< arrays of my node's ranks -> covering nodes of the node's shards
  std::vector<Traffic> buckets_;
  std::deque<std::vector<float>> float_room_;  ///< deques: what was given out stays where it is
  std::deque<std::vector<std::uint16_t>> half_room_;
  std::uint32_t my_flags_ = 0;
  std::vector<std::uint32_t> their_flags_;
  Messages flags_out_, flags_in_;
};

}  // namespace nntrain::comm
