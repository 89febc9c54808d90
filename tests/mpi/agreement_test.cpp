#include "comm/session/agreement.h"

#include "mpi_main.h"

namespace nntrain::comm {
namespace {

std::string message_of(const std::string& mine) {
  try {
    require_agreement(mpi_test::session(), "the configuration", mine);
  } catch (const SharedError& error) {
    EXPECT_EQ(error.code(), ExitCode::kInput);
    return error.what();
  }
  return "";
}

TEST(Agreement, EqualTexts) {
  EXPECT_EQ(message_of(""), "");
  EXPECT_EQ(message_of("a = 1\nb = 2\n"), "");
}

/// Whoever differs, all are told who, where and what.
TEST(Agreement, NamesTheFirstRankThatDiffersAndBothLines) {
  Session& session = mpi_test::session();
  for (int odd = 0; odd < session.size(); ++odd) {
    const bool mine = session.rank() == odd;
    const std::string text = message_of(mine ? "a = 1\nb = 3\nc = 4\n" : "a = 1\nb = 2\n");
    if (session.size() == 1) {
      EXPECT_EQ(text, "");
      continue;
    }
    const int named = odd == 0 ? 1 : odd;
    EXPECT_NE(text.find("rank " + std::to_string(named) + " on " + session.host()), std::string::npos)
        << text;
    EXPECT_NE(text.find("\"b = 2\""), std::string::npos) << text;
    EXPECT_NE(text.find("\"b = 3\""), std::string::npos) << text;
  }
}

TEST(Agreement, ALineThatOthersDoNotHave) {
  Session& session = mpi_test::session();
  const std::string text = message_of(session.is_root() ? "a = 1\nb = 2\n" : "a = 1\n");
  if (session.size() > 1) {
    EXPECT_NE(text.find("has \"b = 2\""), std::string::npos) << text;
    EXPECT_NE(text.find("has \"nothing\""), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace nntrain::comm
