#pragma once
// What multiplies in a run, and what of it the bits depend on.

#include <memory>
#include <string>

#include "core/json.h"
#include "core/products/products.h"
#include "train/config/settings.h"

namespace nntrain::train {

struct RunProducts {
  std::unique_ptr<Products> library;  ///< null: chains
  Json facts;        ///< for the checkpoint: {"kind": "chains"}, or "blas" with library, version, kernel, cpu
  std::string line;  ///< for the log: which, and why

  const Products& multiplier() const { return library ? *library : chain_products(); }
  bool made_by_library() const { return library != nullptr; }
};

/// `then`: products_of() the checkpoint that the run goes on from, null for a fresh run. run.products = auto
/// goes on as the run began; a fresh one takes chains where they are `tuned` for the CPU, else the library.
RunProducts choose_products(const RunSettings& settings, const Json& then, bool tuned = chains_are_tuned());

/// The facts in a checkpoint's environment; those of chains in files from before there was a choice.
Json products_of(const Json& environment);
/// "chains", or "OpenBLAS 0.3.21 SkylakeX on AMD EPYC, ...".
std::string products_text(const Json& facts);

}  // namespace nntrain::train
