#include "core/call.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace nntrain {
namespace {

TEST(Call, BareWordsAreStrings) {
  EXPECT_EQ(parse_call("relu"), Json("relu"));
  EXPECT_EQ(parse_call("keras.layers.Dense"), Json("keras.layers.Dense"));
}

TEST(Call, KeepsPositionalAndNamedArguments) {
  const Json call = parse_call(R"(Dense(500, activation="relu", kernel_initializer=HeNormal(seed=1)))");
  EXPECT_EQ(call["class_name"], "Dense");
  EXPECT_EQ(call["args"], Json::parse("[500]"));
  EXPECT_EQ(call["config"]["activation"], "relu");
  EXPECT_EQ(call["config"]["kernel_initializer"]["config"]["seed"], 1);
}

TEST(Call, PythonsLiterals) {
  EXPECT_EQ(parse_call("True"), Json(true));
  EXPECT_EQ(parse_call("false"), Json(false));
  EXPECT_TRUE(parse_call("None").is_null());
  EXPECT_EQ(parse_call("(28, 28)"), Json::parse("[28, 28]"));
  EXPECT_EQ(parse_call("(5)"), Json(5));
  EXPECT_EQ(parse_call("(5,)"), Json::parse("[5]"));
  EXPECT_EQ(parse_call("{0: 1.0, 1: 2.5}"), Json::parse(R"({"0": 1.0, "1": 2.5})"));
  EXPECT_EQ(parse_call("'a, b'"), Json("a, b"));
}

TEST(Call, NumbersKeepTheirKind) {
  EXPECT_TRUE(parse_call("500").is_number_integer());
  EXPECT_TRUE(parse_call("1e-3").is_number_float());
  EXPECT_TRUE(parse_call("-2").is_number_integer());
  EXPECT_TRUE(parse_call("1.").is_number_float());
  EXPECT_DOUBLE_EQ(parse_call("1/255").get<double>(), 1.0 / 255.0);
}

TEST(Call, SumsAndProductsOfNumbersAsInPython) {
  EXPECT_EQ(parse_call("100*15"), Json(1500));
  EXPECT_EQ(parse_call("SGD(decay_steps=2 + 3*4, rate=1 - 0.25)")["config"],
            Json::parse(R"({"decay_steps": 14, "rate": 0.75})"));
  EXPECT_EQ(parse_call("[1, -2, 3-1]"), Json::parse("[1, -2, 2]"));
  EXPECT_DOUBLE_EQ(parse_call("1./127.5/2").get<double>(), 1.0 / 127.5 / 2.0);
  EXPECT_TRUE(parse_call("4/2").is_number_float());
  EXPECT_EQ(parse_call("1_500"), Json(1500));
  EXPECT_EQ(parse_call("-1_0"), Json(-10));
  for (const char* word : {"1_a", "2nd", "1_"}) EXPECT_TRUE(parse_call(word).is_string()) << word;
}

TEST(Call, ListOfCalls) {
  const std::vector<Json> items = parse_call_list(R"(accuracy, AUC(name="auc"), "mse")");
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(items[1]["config"]["name"], "auc");
  EXPECT_TRUE(parse_call_list("").empty());
}

TEST(Call, ErrorsNameTheText) {
  for (const char* bad :
       {"Dense(", "Dense(500", "Dense(500,, 2)", "\"open", "a b", "Dense(units=1, 2)", "Dense(a=1, a=2)",
        "1/0", "", "Dense)", "{1 2}", "-x", "1e999", "2*", "3 - x", "1/0.0", "1e300*1e300"}) {
    EXPECT_THROW(parse_call(bad), InputError) << bad;
  }
  const std::string deep(5000, '[');
  EXPECT_THROW(parse_call(deep), InputError);
}

TEST(Call, NumbersAreWrittenAsShortAsTheyWere) {
  for (const double value : {0.1, 0.01, 1e-7, 0.001, 0.3, 1.0 / 3, 123456.789, 1e30}) {
    EXPECT_EQ(parse_call(format_call(Json(value))), Json(value));
    EXPECT_LE(format_call(Json(static_cast<double>(static_cast<float>(value)))).size(), 13U) << value;
  }
  EXPECT_EQ(format_call(Json(static_cast<double>(0.1F))), "0.1");
  EXPECT_EQ(
      format_call(Json{{"class_name", "SGD"}, {"config", {{"learning_rate", 0.01F}, {"momentum", 0.9F}}}}),
      "SGD(learning_rate=0.01, momentum=0.9)");
  EXPECT_EQ(format_call(Json(0.25)), "0.25");
  EXPECT_EQ(format_call(Json(16777217.0)), "16777217.0");
  EXPECT_EQ(format_call(Json(2.0)), "2.0");
}

TEST(Call, FormatIsReadBack) {
  for (const char* text : {R"(Dense(units=500, activation="relu", use_bias=True, bias_initializer=None))",
                           "[1, 2.0, \"x\"]", R"(SGD(learning_rate=0.01))"}) {
    EXPECT_EQ(format_call(parse_call(text)), text);
  }
}

}  // namespace
}  // namespace nntrain
