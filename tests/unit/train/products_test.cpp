// Which products a run takes, and what it says of it.

#include "train/run/products.h"

#include <gtest/gtest.h>

namespace nntrain::train {
namespace {

RunSettings wanting(ProductsWanted products) {
  RunSettings settings;
  settings.products = products;
  return settings;
}

TEST(RunProducts, AutoTakesChainsWhereTheyAreWrittenForTheCpu) {
  const RunProducts tuned = choose_products(wanting(ProductsWanted::kAuto), Json(), true);
  EXPECT_EQ(&tuned.multiplier(), &chain_products());
  EXPECT_EQ(tuned.facts, (Json{{"kind", "chains"}}));
  EXPECT_NE(tuned.line.find("written for this CPU"), std::string::npos) << tuned.line;
  const RunProducts other = choose_products(wanting(ProductsWanted::kAuto), Json(), false);
  EXPECT_FALSE(other.multiplier().rows_are_independent());
  EXPECT_EQ(other.facts["kind"], "blas");
  EXPECT_NE(other.line.find("not written for this CPU"), std::string::npos) << other.line;
  EXPECT_NE(other.line.find("run.products = chains"), std::string::npos) << other.line;
}

TEST(RunProducts, AutoGoesOnAsTheRunBegan) {
  const RunProducts blas = choose_products(wanting(ProductsWanted::kBlas), Json(), true);
  EXPECT_EQ(choose_products(wanting(ProductsWanted::kAuto), blas.facts, true).facts, blas.facts);
  const Json chains = products_of(Json::object());  // a file from before there was a choice
  EXPECT_EQ(choose_products(wanting(ProductsWanted::kAuto), chains, false).facts, chains);
  if (!has_blas(BlasLibrary::kOneDnn)) return;
  RunSettings onednn = wanting(ProductsWanted::kBlas);
  onednn.blas = BlasLibrary::kOneDnn;
  const Json facts = choose_products(onednn, Json(), true).facts;
  EXPECT_EQ(facts["library"], "oneDNN");
  EXPECT_EQ(choose_products(wanting(ProductsWanted::kAuto), facts, true).facts, facts);
}

TEST(RunProducts, TheChoiceOfTheUserGoesBeforeTheCheckpoints) {
  const Json chains = products_of(Json());
  EXPECT_EQ(choose_products(wanting(ProductsWanted::kBlas), chains, true).facts["kind"], "blas");
  const Json blas = choose_products(wanting(ProductsWanted::kBlas), Json(), true).facts;
  EXPECT_EQ(choose_products(wanting(ProductsWanted::kChains), blas, true).facts, chains);
}

}  // namespace
}  // namespace nntrain::train
