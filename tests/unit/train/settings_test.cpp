#include "train/config/settings.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"
#include "metrics/metric.h"
#include "train/report/progress.h"

namespace nntrain::train {
namespace {

Configuration with(const std::vector<std::pair<std::string, std::string>>& values) {
  Configuration configuration;
  for (const auto& [key, value] : values) configuration.add(key, {value, "test.ini:1"});
  return configuration;
}

std::string message_of(const std::vector<std::pair<std::string, std::string>>& values) {
  try {
    read_settings(with(values));
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Settings, DefaultsAreKeras) {
  const Settings settings = read_settings(with({}));
  EXPECT_EQ(settings.fit.batch_size, 32);
  EXPECT_EQ(settings.fit.epochs, 1);
  EXPECT_TRUE(settings.fit.shuffle);
  EXPECT_EQ(settings.compile.optimizer["class_name"], "RMSprop");
  EXPECT_EQ(settings.run.shards, 0);
}

TEST(Settings, ValuesOfEveryKind) {
  const Settings settings = read_settings(with({{"data.scale", "1/255"},
                                                {"fit.class_weight", "0:1.0, 1:2.5"},
                                                {"compile.metrics", "accuracy, AUC(name=\"auc\")"},
                                                {"model.input_shape", "(28, 28)"},
                                                {"run.max_time", "1:30:00"},
                                                {"data.class_names", "a, b c, d"},
                                                {"model.layer", "Dense(3)"}}));
  EXPECT_DOUBLE_EQ(settings.data.scale, 1.0 / 255.0);
  EXPECT_EQ(settings.fit.class_weight.at(1), 2.5);
  EXPECT_EQ(settings.compile.metrics.size(), 2U);
  EXPECT_EQ(*settings.model.input_shape, (Shape{28, 28}));
  EXPECT_EQ(settings.run.max_seconds, 5400);
  EXPECT_EQ(settings.data.class_names[1], "b c");
  EXPECT_EQ(settings.model.layers.size(), 1U);
}

TEST(Settings, ErrorsNameKeyOriginAndValue) {
  EXPECT_NE(message_of({{"fit.epochs", "ten"}})
                .find("test.ini:1: fit.epochs: a whole number is expected, got \"ten\""),
            std::string::npos);
  EXPECT_NE(message_of({{"fit.batch_size", "0"}}).find("at least 1"), std::string::npos);
  EXPECT_NE(message_of({{"fit.validation_split", "1.5"}}).find("below 1"), std::string::npos);
  EXPECT_NE(message_of({{"checkpoint.resume", "maybe"}}).find("auto, never, require"), std::string::npos);
  EXPECT_NE(message_of({{"fit.class_weight", "a:b"}}).find("fit.class_weight"), std::string::npos);
  EXPECT_NE(message_of({{"run.max_time", "soon"}}).find("H:MM:SS"), std::string::npos);
}

/// A metric's name is a column of the history: it may neither take another's place nor break a file.
TEST(Settings, ANameOfAMetricIsAColumnOfItsOwn) {
  for (const char* key : {"compile.metrics", "compile.weighted_metrics"}) {
    for (const char* name : {"", "loss", "epoch", "seconds", "learning_rate", "val_loss", "val_x", "a/b",
                             "a.b", ".", "a,b", "a;b", "a'b", "a{b}", "a:b", "a\tb", "a\nb", " a", "a "}) {
      const std::string text = message_of({{key, std::string("MeanAbsoluteError(name=\"") + name + "\")"}});
      EXPECT_NE(text.find("test.ini:1: " + std::string(key)), std::string::npos) << name << ": " << text;
      EXPECT_NE(text.find("MeanAbsoluteError: the name"), std::string::npos) << name << ": " << text;
      EXPECT_NE(text.find("leave name out (it is then \"mean_absolute_error\")"), std::string::npos) << text;
    }
    for (const char* name :
         {"mae", "auc_labels", "top-5", "top 5", "precision@5", "value_loss", "my_epoch", "Verlust", "Größe"})
      EXPECT_EQ(message_of({{key, std::string("MeanAbsoluteError(name=\"") + name + "\")"}}), "") << name;
  }
  for (const Signature* signature : metrics::metrics().signatures()) {
    std::string arguments;
    for (const Parameter& parameter : signature->parameters) {
      if (parameter.required)
        arguments += (arguments.empty() ? "" : ", ") + parameter.name + "=" +
                     (parameter.kind == Kind::kInteger  ? "2"
                      : parameter.kind == Kind::kNumber ? "0.5"
                                                        : "[0]");
    }
    EXPECT_EQ(message_of({{"compile.metrics", signature->class_name + "(" + arguments + ")"}}), "");
  }
}

TEST(Settings, DurationsAreSlurms) {
  const std::vector<std::pair<std::string, double>> forms = {
      {"1:30:00", 5400},     {"0:20", 20},          {"90:00", 5400},        {"90", 5400},
      {"0.5", 30},           {"0:0:1.5", 1.5},      {"1-0", 86400},         {"1-12", 129600},
      {"1-12:30", 131400},   {"1-00:00:00", 86400}, {"2-01:02:03", 176523}, {" 10:00 ", 600},
      {"100:00:00", 360000},
  };
  for (const auto& [text, seconds] : forms) EXPECT_DOUBLE_EQ(parse_duration(text), seconds) << text;
  for (const char* text : {"UNLIMITED", "unlimited", "INFINITE"})
    EXPECT_EQ(parse_duration(text), std::numeric_limits<double>::infinity()) << text;
  EXPECT_EQ(read_settings(with({{"run.max_time", "UNLIMITED"}})).run.max_seconds, 0);
}

TEST(Settings, WhatIsNoDurationIsRefused) {
  for (const char* text :
       {"",    "soon", "1:2:3:4", "-1",    "1-", "-1:00", "1-2-3",     "1::2",    "1:00:", ":30",    "inf",
        "nan", "1e3",  "0x10",    "1.2.3", "3h", "1 30",  "1-1:1:1:1", "NOT_SET", "0",     "0:00:00"})
    EXPECT_THROW(parse_duration(text), InputError) << text;
}

TEST(Configuration, IniTextIsReadBack) {
  const Configuration configuration = with({{"fit.epochs", "3"}, {"run.seed", "7"}});
  EXPECT_EQ(configuration.to_ini(), "[fit]\nepochs = 3\n\n[run]\nseed = 7\n");
}

TEST(Configuration, AKeyCannotBeSetTwice) {
  Configuration configuration = with({{"fit.epochs", "3"}});
  EXPECT_THROW(configuration.add("fit.epochs", {"4", "test.ini:2"}), InputError);
  configuration.add("model.layer", {"Dense(3)", "test.ini:3"});
  EXPECT_NO_THROW(configuration.add("model.layer", {"Dense(4)", "test.ini:4"}));
}

TEST(Progress, WritesAsKeras) {
  EXPECT_EQ(format_value(0.85204), "0.8520");
  EXPECT_EQ(format_value(0.00052), "5.2000e-04");
  EXPECT_EQ(format_duration(2.2), "2s");
  EXPECT_EQ(format_duration(65), "1:05");
  EXPECT_EQ(format_step_time(0.0012), "1ms/step");
  Logs logs;
  logs.values = {{"accuracy", 0.852}, {"loss", 0.4182}};
  EXPECT_EQ(format_logs(logs), "accuracy: 0.8520 - loss: 0.4182");
}

}  // namespace
}  // namespace nntrain::train
