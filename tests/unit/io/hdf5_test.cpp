#include "io/hdf5.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstring>
#include <numeric>

#include "fault/fault_system.h"
#include "unit/io/scratch.h"

/// For the sanitizers. A damaged file makes libhdf5 1.10 ask for half a terabyte, which malloc refuses, and
/// lose memory; what is ours is still watched.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libhdf5"; }

namespace nntrain::io {
namespace {

using test::contains;
using test::message_of;
using test::Scratch;

std::string fixture(const std::string& name) { return NNTRAIN_TESTS_DIR "/unit/io/files/" + name; }

TEST(Hdf5Write, EverythingComesBack) {
  const Scratch scratch;
  const std::string path = scratch.path("a.h5");
  {
    Hdf5File file = Hdf5File::create(path);
    Hdf5Group root = file.root();
    root.write_attribute("text", "JSON \xC3\xA4");
    root.write_attribute("long", std::string(200000, 'x'));
    root.write_attribute("empty", "");
    root.write_attribute("integer", std::int64_t{-7});
    root.write_attribute("seed", std::uint64_t{0xFFFFFFFFFFFFFFFF});
    root.write_attribute("number", 0.1);
    root.write_attribute("yes", true);
    root.write_attribute("no", false);
    root.write_attribute("names", std::vector<std::string>{"dense", "", "a/b:0"});
    root.write_attribute("none", std::vector<std::string>{});
    root.write_attribute("integer", 8);  // in place of the old one
    Hdf5Group inner = root.create_group("a/b");
    inner.write_dataset("c/floats", Shape{2, 3}, std::vector<float>{0, 1, 2, 3, 4, 5.5F});
    root.write_dataset("/doubles", Shape{2}, std::vector<double>{0.1, 1e300});
    root.write_dataset("integers", Shape{2}, std::vector<std::int64_t>{INT64_MIN, INT64_MAX});
    root.write_dataset("bytes", Shape{3}, std::vector<std::uint8_t>{0, 128, 255});
    root.write_dataset("scalar", Shape{}, std::vector<float>{3});
    root.write_dataset("nothing", Shape{0, 4}, std::vector<float>{});
    EXPECT_EQ(root.read_text("text"), "JSON \xC3\xA4");  // readable while writing, too
    file.close();
  }
  const Hdf5File file = Hdf5File::open(path);
  const Hdf5Group root = file.root();
  EXPECT_EQ(root.read_text("text"), "JSON \xC3\xA4");
  EXPECT_EQ(root.read_text("long"), std::string(200000, 'x'));
  EXPECT_EQ(root.read_text("empty"), "");
  EXPECT_EQ(root.read_integer("integer"), 8);
  EXPECT_EQ(static_cast<std::uint64_t>(root.read_integer("seed")), 0xFFFFFFFFFFFFFFFF);
  EXPECT_EQ(root.read_number("number"), 0.1);
  EXPECT_TRUE(root.read_boolean("yes"));
  EXPECT_FALSE(root.read_boolean("no"));
  EXPECT_EQ(root.read_texts("names"), (std::vector<std::string>{"dense", "", "a/b:0"}));
  EXPECT_TRUE(root.read_texts("none").empty());
  EXPECT_EQ(root.children(),
            (std::vector<std::string>{"a", "bytes", "doubles", "integers", "nothing", "scalar"}));
  EXPECT_EQ(root.group("a").group("b").dataset("c/floats").read_all<float>(),
            (std::vector<float>{0, 1, 2, 3, 4, 5.5F}));
  EXPECT_EQ(root.dataset("a/b/c/floats").info().shape, (Shape{2, 3}));
  EXPECT_EQ(root.dataset("doubles").read_all<double>(), (std::vector<double>{0.1, 1e300}));
  EXPECT_EQ(root.dataset("integers").read_all<std::int64_t>(),
            (std::vector<std::int64_t>{INT64_MIN, INT64_MAX}));
  EXPECT_EQ(root.dataset("bytes").read_all<std::uint8_t>(), (std::vector<std::uint8_t>{0, 128, 255}));
  EXPECT_EQ(root.dataset("scalar").read_all<float>(), std::vector<float>{3});
  EXPECT_EQ(root.dataset("nothing").info().shape, (Shape{0, 4}));
  EXPECT_TRUE(root.dataset("nothing").read_all<float>().empty());
}

TEST(Hdf5Write, EqualContentGivesEqualBytes) {
  const Scratch scratch;
  for (const char* name : {"a.h5", "b.h5"}) {
    Hdf5File file = Hdf5File::create(scratch.path(name));
    file.root().create_group("g").write_dataset("d", Shape{2}, std::vector<float>{1, 2});
    file.root().write_attribute("text", "t");
    file.close();
  }
  EXPECT_EQ(test::read_file(scratch.path("a.h5")), test::read_file(scratch.path("b.h5")));
}

TEST(Hdf5Write, LongListsOfNamesAreCutIntoPiecesAsInKeras) {
  const Scratch scratch;
  std::vector<std::string> names;
  for (int i = 0; i < 3000; ++i) names.push_back("a_rather_long_layer_name_number_" + std::to_string(i));
  {
    Hdf5File file = Hdf5File::create(scratch.path("a.h5"));
    file.root().write_attribute("layer_names", names);
    file.close();
  }
  const Hdf5File file = Hdf5File::open(scratch.path("a.h5"));
  EXPECT_FALSE(file.root().has_attribute("layer_names"));
  EXPECT_EQ(file.root().attributes(), (std::vector<std::string>{"layer_names0", "layer_names1"}));
  EXPECT_TRUE(file.root().has_texts("layer_names"));
  EXPECT_EQ(file.root().read_texts("layer_names"), names);
}

TEST(Hdf5Write, ErrorsAreRuntimeErrors) {
  const Scratch scratch;
  EXPECT_TRUE(contains(message_of<RuntimeError>([&] { Hdf5File::create(scratch.path("no/such/folder.h5")); }),
                       "folder.h5"));
  Hdf5File file = Hdf5File::create(scratch.path("a.h5"));
  file.root().write_dataset("d", Shape{1}, std::vector<float>{1});
  EXPECT_TRUE(contains(
      message_of<RuntimeError>([&] { file.root().write_dataset("d", Shape{1}, std::vector<float>{1}); }),
      "/d"));
}

TEST(Hdf5Write, RoomIsReservedBeforeAnythingIsWritten) {
  const Scratch scratch;
  const std::string message = message_of<WriteError>([&] {
    AtomicFile target(scratch.path("a.h5"));
    Hdf5File::create(target, std::int64_t{1} << 60);
  });
  EXPECT_TRUE(contains(message, "a.h5"));
  EXPECT_TRUE(contains(message, "1152921504606846976 bytes needed"));
  EXPECT_TRUE(contains(message, "bytes free"));
}

TEST(Hdf5Write, EveryFailedCallIsAnErrorForSmallDatasetsToo) {
  // libhdf5 keeps these 8 KB back and writes them when a handle is released, where nobody sees a failure.
  const auto write = [](const std::string& path, System& system) {
    AtomicFile target(path, system);
    Hdf5File file = Hdf5File::create(target);
    file.root().write_dataset("predictions", Shape{2048}, std::vector<float>(2048, 1.5F));
    file.root().write_attribute("written_by", "a test");
    file.close();
    target.commit();
  };
  const Scratch scratch;
  const std::string undo = scratch.path("undo");
  std::filesystem::create_directories(undo);
  test::FaultSystem counting(undo);
  write(scratch.path("a.h5"), counting);
  ASSERT_GT(counting.calls(), 8);
  for (int call = 0; call < counting.calls(); ++call) {
    for (const int error : {EIO, ENOSPC}) {
      test::FaultSystem system(undo);
      system.fail(call, test::FaultSystem::Kind::kError, error);
      const std::string path = scratch.path("b.h5");
      std::filesystem::remove(path);
      try {
        write(path, system);
      } catch (const WriteError& failed) {
        EXPECT_TRUE(contains(failed.what(), std::strerror(error))) << call;
        EXPECT_TRUE(contains(failed.what(), "b.h5")) << call;
        continue;
      }
      EXPECT_TRUE(test::read_file(path) == test::read_file(scratch.path("a.h5"))) << call;
    }
  }
}

TEST(Hdf5Read, ADiskThatFailsIsNotCalledADamagedFile) {
  const Scratch scratch;
  {
    Hdf5File file = Hdf5File::create(scratch.path("a.h5"));
    file.root().write_dataset("x", Shape{3}, std::vector<float>{1, 2, 3});
    file.close();
  }
  const auto read = [&](System& system) {
    return Hdf5File::open(scratch.path("a.h5"), "", system).root().dataset("x").read_all<float>();
  };
  test::FaultSystem counting(scratch.folder());
  EXPECT_EQ(read(counting).size(), 3U);
  for (int call = 0; call + 1 < counting.calls(); ++call) {  // the last one is the close, which loses nothing
    test::FaultSystem system(scratch.folder());
    system.fail(call, test::FaultSystem::Kind::kError, EIO);
    EXPECT_TRUE(contains(message_of<RuntimeError>([&] { read(system); }), "Input/output error")) << call;
  }
}

TEST(Hdf5Read, NumbersOfEveryTypeWrittenByH5py) {
  const Hdf5File file = Hdf5File::open(fixture("types.h5"));
  const std::vector<float> expected = {0, 1, 2, 3, 4, 5};
  const std::vector<std::pair<std::string, std::string>> types = {
      {"i1", "int8"},    {"i2", "int16"},   {"i4", "int32"},   {"i8", "int64"},
      {"u1", "uint8"},   {"u2", "uint16"},  {"u4", "uint32"},  {"u8", "uint64"},
      {"f2", "float16"}, {"f4", "float32"}, {"f8", "float64"}, {"big_f4", "float32"}};
  for (const auto& [name, type] : types) {
    const Hdf5Dataset dataset = file.root().dataset(name);
    EXPECT_EQ(dataset.info().type_name(), type);
    EXPECT_EQ(dataset.info().shape, (Shape{3, 2})) << name;
    EXPECT_EQ(dataset.read_all<float>(), expected) << name;
    std::vector<double> rows(4);
    dataset.read_rows<double>(1, 2, rows);
    EXPECT_EQ(rows, (std::vector<double>{2, 3, 4, 5})) << name;
  }
  EXPECT_EQ(file.root().dataset("big_i2").read_all<std::int64_t>(),
            (std::vector<std::int64_t>{-3, -2, -1, 0, 1, 2}));
  EXPECT_EQ(file.root().dataset("bool").info().type_name(), "bool");
  EXPECT_EQ(file.root().dataset("bool").read_all<std::uint8_t>(), (std::vector<std::uint8_t>{1, 0, 1}));
  EXPECT_EQ(file.root().dataset("scalar").read_all<float>(), std::vector<float>{3});
  EXPECT_EQ(file.root().dataset("hard").read_all<float>(), expected);
  EXPECT_EQ(file.root().dataset("kernel:0").read_all<float>(), (std::vector<float>{7, 7}));
}

TEST(Hdf5Read, AFileOfANewerFormatSaysWhatToWrite) {
  const Hdf5File file = Hdf5File::open(fixture("newer.h5"));
  const std::string message = message_of<InputError>([&] { file.root().dataset("x"); });
  EXPECT_NE(message.find("newer.h5\" /x cannot be opened"), std::string::npos) << message;
  EXPECT_NE(message.find("libver=('earliest', 'v110')"), std::string::npos) << message;
}

TEST(Hdf5Read, CompressedChunks) {
  const Hdf5File file = Hdf5File::open(fixture("types.h5"));
  std::vector<float> expected(6000);
  std::iota(expected.begin(), expected.end(), 0.0F);
  const Hdf5Dataset dataset = file.root().dataset("gzip");
  EXPECT_EQ(dataset.read_all<float>(), expected);
  std::vector<float> rows(600);
  dataset.read_rows<float>(100, 100, rows);
  EXPECT_EQ(rows, std::vector<float>(expected.begin() + 600, expected.begin() + 1200));
  EXPECT_THROW(dataset.read_rows<float>(950, 100, rows), RuntimeError);
}

TEST(Hdf5Read, WhatAreNoNumbers) {
  const Hdf5File file = Hdf5File::open(fixture("types.h5"));
  std::vector<float> values(3);
  for (const auto& [name, what] :
       {std::pair("text", "string"), {"vlen_text", "string"}, {"compound", "compound"}}) {
    const Hdf5Dataset dataset = file.root().dataset(name);
    const std::string message = message_of<InputError>([&] { dataset.read_all<float>(); });
    EXPECT_TRUE(contains(message, what));
    EXPECT_TRUE(contains(message, std::string("/") + name));
  }
  EXPECT_TRUE(contains(message_of<InputError>([&] { file.root().dataset("null"); }), "null"));
}

TEST(Hdf5Read, AttributesWrittenByH5py) {
  const Hdf5File file = Hdf5File::open(fixture("attributes.h5"));
  const Hdf5Group root = file.root();
  EXPECT_EQ(root.read_text("vlen"), "variable \xC3\xA4");
  EXPECT_EQ(root.read_text("fixed"), "fixed");
  EXPECT_EQ(root.read_texts("fixed_list"), (std::vector<std::string>{"a", "bcd"}));
  EXPECT_EQ(root.read_texts("vlen_list"), (std::vector<std::string>{"x", "yz", ""}));
  EXPECT_TRUE(root.read_texts("empty_list").empty());
  EXPECT_EQ(root.read_texts("pieces"), (std::vector<std::string>{"p", "q", "r"}));
  EXPECT_EQ(root.read_text("long"), std::string(66000, 'z'));
  EXPECT_EQ(root.read_integer("int32"), -5);
  EXPECT_EQ(root.read_integer("uint8"), 200);
  EXPECT_EQ(root.read_integer("whole_float"), 7);
  EXPECT_EQ(root.read_number("float32"), 0.5);
  EXPECT_EQ(root.read_number("int32"), -5);
  EXPECT_TRUE(root.read_boolean("yes"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { root.read_integer("float32"); }), "0.5"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { root.read_integer("vlen"); }), "\"vlen\""));
  EXPECT_TRUE(contains(message_of<InputError>([&] { root.read_number("numbers"); }), "not one number"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { root.read_text("int32"); }), "not a text"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { root.read_text("fixed_list"); }), "2 texts"));
  EXPECT_TRUE(
      contains(message_of<InputError>([&] { root.read_text("missing"); }), "no attribute \"missing\""));
}

TEST(Hdf5Read, MissingObjectsAreListed) {
  const Hdf5File file = Hdf5File::open(fixture("single.h5"));
  EXPECT_EQ(file.root().kind("only"), Hdf5Kind::kDataset);
  EXPECT_EQ(file.root().kind("group"), Hdf5Kind::kGroup);
  EXPECT_EQ(file.root().kind("group/none"), Hdf5Kind::kMissing);
  EXPECT_EQ(file.root().kind("only/below"), Hdf5Kind::kMissing);
  const std::string message = message_of<InputError>([&] { file.root().dataset("onyl"); });
  EXPECT_TRUE(contains(message, "no dataset \"onyl\""));
  EXPECT_TRUE(contains(message, "\"group\", \"only\""));
  EXPECT_TRUE(contains(message_of<InputError>([&] { file.root().dataset("group"); }), "group of \"other\""));
  EXPECT_TRUE(contains(message_of<InputError>([&] { file.root().dataset("group/x"); }),
                       "/group has no dataset \"x\""));
  EXPECT_TRUE(contains(message_of<InputError>([&] { file.root().group("only"); }), "not a group"));
}

TEST(Hdf5Read, LinksOutOfTheFileAreRefused) {
  const Hdf5File file = Hdf5File::open(fixture("links.h5"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { file.root().dataset("external"); }), "external link"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { file.root().dataset("folder/secret"); }),
                       "/folder is an external"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { file.root().dataset("soft"); }), "soft link"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { file.root().group("dangling"); }), "soft link"));
  EXPECT_EQ(file.root().kind("external"), Hdf5Kind::kOther);
  EXPECT_EQ(file.root().dataset("data").read_all<float>(), (std::vector<float>{1, 1, 1}));
}

TEST(Hdf5Read, StorageOutsideAndAbsurdSizesAreRefused) {
  const Hdf5File file = Hdf5File::open(fixture("storage.h5"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { file.root().dataset("outside"); }), "external storage"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { file.root().dataset("never_written"); }), "2147483648"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { file.root().dataset("all_zero"); }), "1099511627776"));
  // At once: libhdf5 reads beyond the names in the header of a damaged one.
  EXPECT_TRUE(
      contains(message_of<InputError>([] { Hdf5File::open(fixture("virtual.h5")); }), "virtual dataset"));
}

TEST(Hdf5Read, WhatIsNoFile) {
  const Scratch scratch;
  EXPECT_TRUE(
      contains(message_of<InputError>([&] { Hdf5File::open(scratch.path("no.h5")); }), "No such file"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { Hdf5File::open(scratch.folder()); }), "not a file"));
  const std::string text = scratch.write("text.h5", "hello, world");
  EXPECT_TRUE(contains(message_of<InputError>([&] { Hdf5File::open(text); }), "not an HDF5 file"));
  EXPECT_FALSE(Hdf5File::is_hdf5(text));
  EXPECT_FALSE(Hdf5File::is_hdf5(scratch.path("no.h5")));
  EXPECT_TRUE(Hdf5File::is_hdf5(fixture("types.h5")));
  EXPECT_THROW(Hdf5File::open(scratch.write("empty.h5", "")), InputError);
}

TEST(Hdf5Read, TruncatedFilesAreRefused) {
  const Scratch scratch;
  const std::string whole = test::read_file(fixture("types.h5"));
  for (const std::size_t length : {std::size_t{9}, std::size_t{100}, whole.size() / 2, whole.size() - 1}) {
    const std::string path = scratch.write("cut.h5", whole.substr(0, length));
    EXPECT_TRUE(contains(message_of<InputError>([&] { Hdf5File::open(path); }), "cut.h5"));
  }
}

TEST(Hdf5Read, DamagedHeapsOfTextsEndInAnError) {
  // libhdf5 1.10 loops for ever over a heap whose free space has length 0.
  const Scratch scratch;
  const std::string whole = test::read_file(fixture("attributes.h5"));
  const std::size_t heap = whole.find("GCOL");
  ASSERT_NE(heap, std::string::npos);
  for (const auto& [offset, bytes] : {std::pair(std::size_t{16}, std::string(32, '\0')),
                                      {std::size_t{24}, std::string(8, '\xFF')},
                                      {std::size_t{24}, std::string("\xF0\xFF\xFF\xFF\xFF\xFF\xFF\xFF")}}) {
    std::string damaged = whole;
    damaged.replace(heap + offset, bytes.size(), bytes);
    const std::string path = scratch.write("a.h5", damaged);
    EXPECT_TRUE(contains(message_of<InputError>([&] { Hdf5File::open(path).root().read_text("vlen"); }),
                         "heap of texts"));
  }
}

/// libhdf5 released links that it had not read when one of them could not be.
TEST(Hdf5Read, DamagedLinksEndInAnError) {
  const Scratch scratch;
  mallopt(M_PERTURB, 0x5A);  // memory that was not written holds no null pointers by chance
  const std::string whole = test::read_file(fixture("links.h5")), path = scratch.path("a.h5");
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char byte : {'\0', '\x7F'}) {
      std::string damaged = whole;
      if (damaged[at] == byte) continue;
      damaged[at] = byte;
      scratch.write("a.h5", damaged);
      try {
        const Hdf5File file = Hdf5File::open(path);
        static_cast<void>(file.root().children());
        static_cast<void>(file.root().dataset("data").read_all<float>());
        static_cast<void>(file.root().dataset("nothing"));
      } catch (const InputError&) {
      }
    }
  }
  mallopt(M_PERTURB, 0);
}

}  // namespace
}  // namespace nntrain::io
