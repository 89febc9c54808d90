#include "core/registry.h"

#include <gtest/gtest.h>

#include "core/call.h"

namespace nntrain {
namespace {

class Widget : public Described {};

Registry<Widget> widgets() {
  Registry<Widget> registry("widget");
  registry.add({"BigWidget",
                {"big_widget"},
                {{"units", Kind::kInteger, nullptr, true},
                 {"rate", Kind::kNumber, 0.5},
                 {"name", Kind::kText, nullptr, false, true}},
                "A widget."},
               [](const Json&) { return std::make_unique<Widget>(); });
  return registry;
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Registry, FillsDefaultsAndKinds) {
  const Json canonical = widgets().canonical(parse_call("BigWidget(3, rate=1)"));
  EXPECT_EQ(canonical["class_name"], "BigWidget");
  EXPECT_EQ(canonical["config"]["units"], 3);
  EXPECT_TRUE(canonical["config"]["rate"].is_number_float());
  EXPECT_TRUE(canonical["config"]["name"].is_null());
}

TEST(Registry, TakesEverySpelling) {
  for (const char* spec : {"big_widget(3)", "keras.widgets.BigWidget(units=3)", "BigWidget(3.0)"}) {
    EXPECT_EQ(widgets().make(parse_call(spec))->spec()["config"]["units"], 3) << spec;
  }
  const Json keras = Json::parse(
      R"({"module":"keras.widgets","class_name":"BigWidget","config":{"units":3},"registered_name":null})");
  EXPECT_EQ(widgets().canonical(keras)["config"]["units"], 3);
}

TEST(Registry, UnknownNamesGetTheNearestKnown) {
  EXPECT_NE(message_of([] { widgets().canonical("BigWiget"); }).find("did you mean \"BigWidget\""),
            std::string::npos);
  EXPECT_NE(message_of([] {
              widgets().canonical(parse_call("BigWidget(3, rat=1)"));
            }).find("did you mean \"rate\""),
            std::string::npos);
}

TEST(Registry, NearestKnowsPartsInitialsAndShortForms) {
  EXPECT_EQ(nearest("lr", {"momentum", "learning_rate"}), "\"learning_rate\"");
  EXPECT_EQ(nearest("glorot", {"he_normal", "glorot_normal"}), "\"glorot_normal\"");
  EXPECT_EQ(nearest("ExpDecay", {"CosineDecay", "ExponentialDecay"}), "\"ExponentialDecay\"");
  EXPECT_EQ(nearest("Adm", {"Adam", "adam", "Adamax"}), "\"Adam\"") << "two spellings of one name";
  EXPECT_EQ(nearest("xyz", {"Adam", "SGD"}), "");
}

TEST(Registry, LongWordsAreNotComparedLetterByLetter) {
  const std::string word(std::size_t{1} << 26U, 'x');  // of a hostile file; took minutes
  EXPECT_EQ(nearest(word, std::vector<std::string>(200, "SparseCategoricalCrossentropy")), "");
  EXPECT_EQ(nearest("a" + std::string(30, 'b'), {"a" + std::string(40, 'b'), std::string(31, 'b')}),
            "\"" + std::string(31, 'b') + "\", \"a" + std::string(40, 'b') + "\"");
}

TEST(Registry, RefusedNamesSayWhyAndFewNamesAreListed) {
  Registry<Widget> registry = widgets();
  registry.refuse({"TinyGadget"}, "it is too small");
  EXPECT_EQ(
      message_of([&] { registry.canonical("TinyGadget"); }),
      "the widget \"TinyGadget\" of Keras is not supported: it is too small; the known ones: BigWidget");
  EXPECT_EQ(message_of([&] { registry.canonical("Qq"); }),
            "unknown widget \"Qq\"; the known ones: BigWidget");
}

TEST(Registry, NumbersOutOfRangeAreNoWholeNumbers) {
  EXPECT_THROW(widgets().canonical(parse_call("BigWidget(1e300)")), InputError);
  EXPECT_EQ(widgets().canonical(parse_call("BigWidget(1e3)"))["config"]["units"], 1000);
}

TEST(Registry, WrongArgumentsAreRefused) {
  for (const char* spec : {"BigWidget()", "BigWidget(\"x\")", "BigWidget(3.5)", "BigWidget(1, 2, \"n\", 4)",
                           "BigWidget(1, units=2)", "BigWidget(1, rate=None)"}) {
    EXPECT_THROW(widgets().canonical(parse_call(spec)), InputError) << spec;
  }
}

}  // namespace
}  // namespace nntrain
