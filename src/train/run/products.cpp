#include "train/run/products.h"

#include "core/products/chain.h"

namespace nntrain::train {

namespace {

constexpr const char* kChains = "chains";

struct Choice {
  bool chains;
  std::string why;
  BlasLibrary blas;
};

Choice choose(const RunSettings& settings, const Json& then, bool tuned) {
  if (settings.products != ProductsWanted::kAuto) {
    const bool chains = settings.products == ProductsWanted::kChains;
    return {chains, chains ? "run.products = chains" : "run.products = blas", settings.blas};
  }
  if (!then.is_null()) {
    const bool by_onednn = then.value("library", std::string()) == "oneDNN" && has_blas(BlasLibrary::kOneDnn);
    return {then.value("kind", std::string(kChains)) == kChains, "as the run began",
            by_onednn ? BlasLibrary::kOneDnn : settings.blas};
  }
  if (tuned) return {true, "run.products = auto, and they are written for this CPU", settings.blas};
  return {
      false,
      "run.products = auto, and chains are not written for this CPU; run.products = chains gives the bits "
      "of every other machine",
      settings.blas};
}

}  // namespace

RunProducts choose_products(const RunSettings& settings, const Json& then, bool tuned) {
  RunProducts products;
  const Choice choice = choose(settings, then, tuned);
  if (choice.chains) {
    products.facts = {{"kind", kChains}};
    products.line = std::string("products: ") + chain::instructions() + " chains (" + choice.why +
                    "): their bits depend neither on the CPU nor on a library";
    return products;
  }
  products.library = blas_products(choice.blas);
  const BlasFacts facts = blas_facts(choice.blas);
  products.facts = {{"kind", "blas"},
                    {"library", facts.library},
                    {"version", facts.version},
                    {"kernel", facts.kernel},
                    {"cpu", facts.cpu}};
  products.line = "products: " + products_text(products.facts) + ", shard by shard (" + choice.why +
                  "): the same bits at every number of ranks with this library, kernel and CPU";
  return products;
}

Json products_of(const Json& environment) {
  return environment.is_object() ? environment.value("products", Json{{"kind", kChains}})
                                 : Json{{"kind", kChains}};
}

std::string products_text(const Json& facts) {
  if (facts.value("kind", std::string(kChains)) == kChains) return kChains;
  const auto text = [&](const char* name) { return facts.value(name, std::string("?")); };
  return text("library") + " " + text("version") + " " + text("kernel") + " on " + text("cpu");
}

}  // namespace nntrain::train
