// Text from a cell to an index, by the table's reader and the layer together, against real Keras; what
// StringLookup learns, against adapt().

#include <gtest/gtest.h>

#include "core/call.h"
#include "core/error.h"
#include "core/fingerprint.h"
#include "data/tables/word_table.h"
#include "golden_json.h"
#include "nn/layers/text_demand.h"
#include "nn/model/sequential.h"

namespace nntrain {
namespace {

std::vector<Json> text_model(const Json& layer, const Shape& sample) {
  return {{{"class_name", "Input"}, {"config", {{"shape", sample.extents()}, {"dtype", "string"}}}}, layer};
}

std::vector<float> codes_of(const Json& words, const std::vector<Json>& model) {
  const std::optional<TextCodes> demand = nn::text_demand(model);
  EXPECT_TRUE(demand);
  data::WordTable table(*demand);
  std::vector<float> codes;
  for (const Json& word : words) {
    codes.emplace_back();
    EXPECT_EQ(table.add(word.get<std::string>(), codes.back()), "");
  }
  return codes;
}

std::vector<float> forward(const Json& layer, const Json& x) {
  std::vector<std::int64_t> extents = x["shape"].get<std::vector<std::int64_t>>();
  const std::int64_t rows = extents.front();
  extents.erase(extents.begin());
  const std::vector<Json> layers = text_model(layer, Shape(extents));
  const nn::Sequential model("m", layers, Shape(extents));
  EXPECT_TRUE(model.takes_text());
  const std::vector<std::int64_t> bounds = {0, rows};
  nn::BatchContext context;
  context.rows = context.batch_rows = rows;
  context.bounds = bounds;
  std::vector<float> y(static_cast<std::size_t>(rows * model.output_shape().size()));
  model.layers()[0]->forward(context, codes_of(x["words"], layers).data(), y.data());
  return y;
}

TEST(Golden, LayersOfText) {
  int tried = 0;
  for (const Json& one : golden::cases("words")) {
    if (one["kind"] != "values") continue;
    SCOPED_TRACE(one["name"].get<std::string>());
    EXPECT_EQ(forward(parse_call(one["spec"].get<std::string>()), one["x"]), golden::values(one["y"]));
    // Keras' own words for the layer make the same one.
    const Json file = {{"class_name", "Sequential"}, {"config", {{"layers", Json::array({one["config"]})}}}};
    EXPECT_EQ(forward(nn::architecture_from_keras(file).layers.at(0), one["x"]), golden::values(one["y"]));
    ++tried;
  }
  EXPECT_GE(tried, 29);
}

TEST(Golden, VocabulariesOfText) {
  int tried = 0;
  for (const Json& one : golden::cases("words")) {
    if (one["kind"] != "learned") continue;
    SCOPED_TRACE(one["name"].get<std::string>());
    const Json spec = nn::layers().canonical(parse_call(one["spec"].get<std::string>()));
    data::WordTable table(*nn::text_demand({spec}));
    ASSERT_TRUE(table.learns() && table.collects());
    std::vector<std::int64_t> counts;
    for (const Json& word : one["x"]["words"]) {
      float number = 0;
      ASSERT_EQ(table.add(word.get<std::string>(), number), "");
      counts.resize(std::max(counts.size(), static_cast<std::size_t>(number) + 1));
      ++counts[static_cast<std::size_t>(number)];
    }
    table.settle(counts, "t.csv");
    EXPECT_EQ(table.vocabulary(), one["learned"].get<std::vector<std::string>>());
    EXPECT_NO_THROW(nn::layers().make(nn::with_vocabulary(spec, table.vocabulary())));
    ++tried;
  }
  EXPECT_GE(tried, 8);
}

TEST(Golden, HashesOfTextsOfEveryLength) {
  for (const Json& one : golden::cases("words")) {
    if (one["kind"] != "hash") continue;
    for (std::size_t i = 0; i < one["words"].size(); ++i) {
      const std::string word = one["words"][i].get<std::string>();
      for (const std::size_t k : {std::size_t{0}, std::size_t{1}}) {
        const std::uint64_t buckets = (std::uint64_t{1} << 62U) - 1 - (k == 0 ? 0 : 12345);
        EXPECT_EQ(farm_fingerprint(word) % buckets, one["hash"][k][i].get<std::uint64_t>()) << word.size();
      }
    }
    return;
  }
  FAIL() << "no such case";
}

std::string refusal(const std::vector<std::string>& calls) {
  std::vector<Json> layers;
  for (const std::string& call : calls) layers.push_back(parse_call(call));
  try {
    nn::Sequential("m", layers, Shape{2});
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(TextLayers, ComeFirst) {
  const std::string lookup = "StringLookup(vocabulary=[\"a\"])", text = "Input((2,), dtype=\"string\")";
  EXPECT_EQ(refusal({lookup, "Embedding(2, 3)"}), "");
  EXPECT_EQ(refusal({text, "Flatten()", "Identity()", lookup, "Embedding(2, 3)"}), "");
  EXPECT_NE(refusal({"Dense(2)", lookup}).find("takes text, but layer \"dense\" before it gives numbers"),
            std::string::npos);
  EXPECT_NE(refusal({lookup, lookup}).find("takes text"), std::string::npos);
  EXPECT_NE(refusal({text, "Dense(2)"}).find("\"dense\" takes numbers"), std::string::npos);
  EXPECT_NE(refusal({text, "Flatten()"}).find("takes numbers"), std::string::npos);
  EXPECT_NE(refusal({"Hashing(3, mask_value=\"a\")"}).find("mask_value is a text"), std::string::npos);
  EXPECT_NE(refusal({text, "Hashing(3, mask_value=1)"}).find("mask_value is a number"), std::string::npos);
  EXPECT_NE(refusal({lookup, "Embedding(1, 3)"}).find("gives 0 to 1"), std::string::npos);
}

TEST(TextLayers, AreKeptWithInputsOfText) {
  for (const char* call : {"StringLookup(vocabulary=[\"a\", \"b\"])", "Hashing(4)"}) {
    const nn::Sequential model("m", text_model(parse_call(call), Shape{3}), Shape{3});
    const Json config = model.config();
    EXPECT_EQ(config["config"]["layers"][0]["config"]["dtype"], "string") << call;
    const nn::Architecture back = nn::architecture_from_keras(Json::parse(config.dump()));
    ASSERT_EQ(back.layers.size(), 2U) << call;
    EXPECT_EQ(nn::Sequential("m", back.layers, back.input).config(), config) << call;
  }
}

TEST(TextLayers, RefuseWhatMakesNoSense) {
  for (const char* spec :
       {"StringLookup()", "StringLookup(vocabulary=[])", "StringLookup(vocabulary=[\"a\", \"a\"])",
        "StringLookup(vocabulary=[1])", "StringLookup(vocabulary=\"words.txt\")",
        "StringLookup(vocabulary=[\"a\", \"b\"], max_tokens=2)",
        "StringLookup(vocabulary=[\"a\"], num_oov_indices=-1)",
        "StringLookup(vocabulary=[\"a\", \"\"], mask_token=\"\")",
        "StringLookup(vocabulary=[\"a\"], invert=True)",
        "StringLookup(vocabulary=[\"a\"], output_mode=\"tf_idf\")",
        "StringLookup(vocabulary=[\"a\"], encoding=\"latin-1\")",
        "StringLookup(vocabulary=[\"a\"], sparse=True)", "StringLookup(vocabulary=[\"a\"], salt=[1])"}) {
    EXPECT_THROW(nn::layers().make(parse_call(spec)), InputError) << spec;
    EXPECT_NO_THROW(nn::text_demand({parse_call("Dense(2)")}));
  }
}

}  // namespace
}  // namespace nntrain
