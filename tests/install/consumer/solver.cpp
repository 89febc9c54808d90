// A program with an MPI life of its own trains two models at the same time, each on a half of its ranks, and
// goes on afterwards: solver IRIS.csv

#define OMPI_SKIP_MPICXX  // the C interface is all it speaks
#include <mpi.h>

#include <cstdio>
#include <cstring>

#include "tables.h"

namespace {

/// A number for the bits of a model's weights.
unsigned long long bits_of(const nntrain::Model& model) {
  unsigned long long hash = 1469598103934665603ULL;  // FNV-1a
  for (const nntrain::LayerInfo& layer : model.layers()) {
    for (const nntrain::Array& array : model.get_weights(layer.name)) {
      for (const float value : array.values) {
        unsigned bits = 0;
        std::memcpy(&bits, &value, sizeof bits);
        hash = (hash ^ bits) * 1099511628211ULL;
      }
    }
  }
  return hash;
}

unsigned long long train(MPI_Comm ranks, const Table& table, const std::string& rate) {
  nntrain::Session session(MPI_Comm_c2f(ranks));
  unsigned long long bits = 0;
  {
    nntrain::Model model(session, {"Dense(8, activation=\"relu\")", "Dense(3, activation=\"softmax\")"}, {4},
                         7);
    model.compile({"sparse_categorical_crossentropy", "SGD(" + rate + ")", {}, {}});
    nntrain::Fit fit;
    fit.epochs = 3;
    // Only the first rank gives the rows: the others need not have them.
    const nntrain::Data none;
    model.fit(session.is_root() ? nntrain::Data{table.x, table.y, {}} : none, fit);
    bits = bits_of(model);
  }
  session.close();
  return bits;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, size = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  int code = argc == 2 ? 0 : 2;
  if (code == 0) {
    try {
      const Table iris = read_table(argv[1]);
      // Halves, side by side; with one rank, one after the other.
      const int color = rank < (size + 1) / 2 ? 0 : 1;
      MPI_Comm half = MPI_COMM_NULL;
      MPI_Comm_split(MPI_COMM_WORLD, color, rank, &half);
      unsigned long long bits[2] = {0, 0};
      for (int model = 0; model < 2; ++model) {
        if (size == 1 || color == model) bits[model] = train(half, iris, model == 0 ? "0.01" : "0.02");
      }
      MPI_Comm_free(&half);
      unsigned long long all[2] = {0, 0};
      MPI_Reduce(bits, all, 2, MPI_UNSIGNED_LONG_LONG, MPI_MAX, 0, MPI_COMM_WORLD);  // MPI is as it was
      if (rank == 0) std::printf("models %016llx %016llx\n", all[0], all[1]);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "solver: %s\n", error.what());
      MPI_Abort(MPI_COMM_WORLD, 1);
    }
  }
  MPI_Finalize();
  return code;
}
