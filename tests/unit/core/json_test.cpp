#include "core/json.h"

#include <gtest/gtest.h>

#include "core/call.h"
#include "core/error.h"
#include "core/message.h"

namespace nntrain {
namespace {

std::string message_of(const std::string& text) {
  try {
    parse_json(text, "\"m.json\"");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Json, DepthAndWidthAreLimitedBeforeParsing) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(message_of(nested(kDeepestJson)), "");
  EXPECT_NE(message_of(nested(kDeepestJson + 1)).find("levels deep"), std::string::npos);
  EXPECT_NE(message_of(nested(1000000)).find("levels deep"), std::string::npos);
  EXPECT_NE(message_of(std::string(1000000, '[')).find("levels deep"), std::string::npos);
  EXPECT_EQ(message_of("\"" + std::string(1000, '[') + "\\\"[\""), "") << "brackets in a text do not nest";
  std::string wide = "{\"0\":0";
  for (int i = 1; i <= kWidestJson; ++i) wide += ",\"" + std::to_string(i) + "\":0";
  EXPECT_NE(message_of(wide + "}").find("members"), std::string::npos);
  EXPECT_NE(message_of("{").find("not JSON"), std::string::npos);
}

TEST(Json, AnyBytesCanBePrinted) {
  EXPECT_EQ(json_text(Json("caf\xE9")), "\"caf\xEF\xBF\xBD\"");
  EXPECT_EQ(format_call(Json("caf\xE9")), "\"caf\xEF\xBF\xBD\"");
}

TEST(Json, Utf8) {
  for (const char* good :
       {"", "abc", "d\xC3\xA9j\xC3\xA0", "\xE2\x82\xAC", "\xF0\x9F\x8C\xB3", "\xED\x9F\xBF"})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (const char* bad :
       {"caf\xE9", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF"})
    EXPECT_FALSE(is_utf8(bad)) << bad;
}

TEST(Messages, ControlCharactersAreShownAndEndNothing) {
  const std::string hostile("a\0b\x1B[2J\x7F\xC3\xA9\n", 11);
  EXPECT_EQ(printable(hostile), "a\\x00b\\x1b[2J\\x7f\xC3\xA9\n");
  EXPECT_EQ(readable_message(hostile), printable(hostile));
  EXPECT_EQ(shortened(hostile), printable(hostile));
  for (const std::string_view text :
       {std::string_view("\2\0\0: 1", 6), std::string_view("Dense(\0", 7),
        std::string_view("Dense(x\0=1, x\0=1)", 17), std::string_view("{\0}", 3)}) {
    try {
      parse_call_list(text);
      ADD_FAILURE() << text;
    } catch (const InputError& error) {
      const std::string what = error.what();
      EXPECT_NE(what.find("\\x00"), std::string::npos) << what;
      EXPECT_NE(what.find(" at character "), std::string::npos) << what;
    }
  }
}

TEST(Messages, LongOnesKeepBeginningAndEnd) {
  const std::string what = readable_message("begin " + std::string(7 << 20, 'x') + " end");
  EXPECT_LT(what.size(), 4000U);
  EXPECT_TRUE(what.starts_with("begin "));
  EXPECT_TRUE(what.ends_with(" end"));
  try {
    parse_call("Dense(" + std::string(7 << 20, '7') + ")");
    ADD_FAILURE();
  } catch (const InputError& long_one) {
    EXPECT_LT(std::string(long_one.what()).size(), 1000U);
  }
  EXPECT_EQ(shortened("d\xC3\xA9j\xC3\xA0", 2), "d... (6 characters)") << "no half character";
}

TEST(Json, WhatAConstValueLacksIsAnErrorInReleaseBuildsToo) {
  const Json value = {{"there", 1}};
  EXPECT_EQ(value["there"], 1);
  EXPECT_THROW((void)value["not there"], std::logic_error);
}

}  // namespace
}  // namespace nntrain
