#include "train/step/node_sums.h"

#include <algorithm>
#include <utility>

namespace nntrain::train {

namespace {

constexpr std::int64_t kBlockRows = KernelGradient::kBlockRows;

std::int64_t end_of(const nn::Variable& variable) { return variable.offset + variable.size(); }

}  // namespace

NodeSums::NodeSums(nn::GradientTree& gradients, const Products& products, NodeRows rows, int shards,
                   ActivityTimes& times)
    : gradients_(gradients),
      rows_(std::move(rows)),
      times_(times),
      covered_(covering_nodes(rows_.shards(), shards)) {
  for (std::size_t k = 0; k < covered_.size(); ++k) products_.push_back(products.kernel_gradient());
  std::size_t floats = 0;
  for (const nn::GradientTree::Product& product : gradients_.deferred()) {
    const Shape& shape = product.kernel->shape;
    floats = std::max(floats, static_cast<std::size_t>(std::min(kBlockRows, shape[0]) * shape[1]));
  }
  block_.resize(floats);
  leaves_.reserve(static_cast<std::size_t>(rows_.shards().count()));
}

std::unique_ptr<NodeSums> NodeSums::make(comm::Session& session, comm::Exchange& exchange,
                                         nn::Sequential& model, nn::GradientTree& gradients,
                                         const Products& products, int shards, std::int64_t most_rows,
                                         std::int64_t batch_rows, ActivityTimes& times) {
  const std::vector<const nn::Variable*> kernels =
      kernels_for_owners(model, work_of_node(session, shards, batch_rows));
  if (!exchange.can_make_node_sums() || !products.rows_are_independent() || kernels.empty()) return nullptr;
  std::optional<NodeRows> rows = NodeRows::make(session, model, shards, most_rows);
  if (!rows) return nullptr;
  std::vector<comm::Range> ranges;
  for (const nn::Variable* kernel : kernels) {
    gradients.defer(*kernel);
    ranges.push_back({kernel->offset, end_of(*kernel)});
  }
  std::unique_ptr<NodeSums> made(new NodeSums(gradients, products, std::move(*rows), shards, times));
  exchange.make_node_sums(ranges,
                          [sums = made.get()](const comm::Range& range, std::span<float* const> into) {
                            sums->add(range, into);
                          });
  return made;
}

void NodeSums::open_step(std::int64_t batch_rows) {
  batch_rows_ = batch_rows;
  taken_up_ = nullptr;  // its dz are those of the step before
}

/// A kernel's buckets follow one another, so its dz are packed once a step.
void NodeSums::take_up(const nn::GradientTree::Product& product) {
  if (taken_up_ == product.kernel) return;
  taken_up_ = product.kernel;
  for (std::size_t k = 0; k < covered_.size(); ++k) {
    leaves_.resize(static_cast<std::size_t>(covered_[k].count()));
    rows_.leaves(product, covered_[k], batch_rows_, leaves_);
    // A covering node's own tree is a part of the tree of sums.
    products_[k]->set(leaves_, product.kernel->shape[0], product.kernel->shape[1]);
  }
}

void NodeSums::add(const comm::Range& range, std::span<float* const> sums) {
  const ActivityTimes::Scope time(times_, Activity::kGradients);
  const std::vector<nn::GradientTree::Product>& products = gradients_.deferred();
  auto next = std::lower_bound(products.begin(), products.end(), range.end,
                               [](const nn::GradientTree::Product& product, std::int64_t place) {
                                 return product.kernel->offset < place;
                               });
  while (next != products.begin() && end_of(*(next - 1)->kernel) > range.begin) {
    --next;  // from the last to the first, as buckets go
    take_up(*next);
    add_rows(*next->kernel, range, sums);
  }
}

/// What lies in `range` of the kernel that is taken up. A range may begin or end inside a row.
void NodeSums::add_rows(const nn::Variable& kernel, const comm::Range& range, std::span<float* const> sums) {
  const std::int64_t units = kernel.shape[1];
  const std::int64_t begin = std::max(range.begin, kernel.offset) - kernel.offset;
  const std::int64_t end = std::min(range.end, end_of(kernel)) - kernel.offset;
  const std::int64_t last_row = (end + units - 1) / units, place = kernel.offset - range.begin;
  for (std::size_t k = 0; k < covered_.size(); ++k) {
    std::int64_t end_row = 0;
    for (std::int64_t row = begin / units; row < last_row; row = end_row) {
      end_row = std::min(last_row, row + kBlockRows);
      const std::int64_t from = std::max(begin, row * units), until = std::min(end, end_row * units);
      float* const into = sums[k] + (place + from);
      if (until - from == (end_row - row) * units) {
        products_[k]->rows(row, end_row, into);
      } else {
        products_[k]->rows(row, end_row, block_.data());
        std::copy_n(block_.data() + (from - row * units), until - from, into);
      }
    }
  }
}

}  // namespace nntrain::train
