// Names in groups of the oldest HDF5 format, of damaged and hostile files and of good ones: heaps without the
// ends of names, trees and lists that lead back to themselves; attributes of every kind beside them.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "io/hdf5.h"
#include "unit/io/scratch.h"

namespace nntrain::io {
namespace {

using test::contains;
using test::little_endian;
using test::message_of;
using test::Scratch;

/// tests/unit/io/files/names.h5: its /group has 29 names in a tree of three levels.
class NamesOfGroups : public ::testing::Test {
 protected:
  std::uint64_t number(std::size_t at, std::size_t bytes = 8) const {
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;) value = value << 8U | static_cast<unsigned char>(whole_.at(at + i));
    return value;
  }
  /// The heap's names, its header, and the tree, which is named before the heap.
  std::size_t names() const { return whole_.find(std::string("number\0\0name_00", 15)) - 8; }
  std::size_t names_bytes() const { return number(heap() + 8); }
  std::size_t heap() const { return whole_.find(little_endian(names(), 8)) - 24; }
  std::size_t tree() const { return number(whole_.find(little_endian(heap(), 8)) - 8); }
  std::size_t name(const std::string& text) const { return whole_.find(text + '\0', names()); }
  /// The entry of a node that says where `text` is.
  std::size_t entry(const std::string& text) const {
    for (std::size_t node = whole_.find("SNOD"); node != std::string::npos;
         node = whole_.find("SNOD", node + 1)) {
      for (std::size_t i = 0; i < number(node + 6, 2); ++i) {
        const std::size_t at = node + 8 + 40 * i;
        if (number(at) == name(text) - names()) return at;
      }
    }
    ADD_FAILURE() << "no entry of " << text;
    return 0;
  }

  /// A file in which `bytes` stand at `at`.
  std::string with(std::size_t at, const std::string& bytes) const {
    std::string changed = whole_;
    changed.replace(at, bytes.size(), bytes);
    return scratch_.write("a.h5", changed);
  }
  /// What listing /group, asking for a name in it, and for one that is not there, say of the file.
  static std::string refusal(const std::string& path) {
    const Hdf5File file = Hdf5File::open(path);
    const std::string message = message_of<InputError>([&] { file.root().group("group").children(); });
    for (const char* object : {"group/name_01", "group/zzz"})
      EXPECT_EQ(message_of<InputError>([&] { static_cast<void>(file.root().kind(object)); }), message);
    EXPECT_TRUE(contains(message, "a.h5"));
    EXPECT_TRUE(contains(message, "/group is damaged"));
    return message;
  }

  const Scratch scratch_;
  const std::string whole_ = test::read_file(NNTRAIN_TESTS_DIR "/unit/io/files/names.h5");
};

TEST_F(NamesOfGroups, OfAGoodFileAreRead) {
  for (const std::size_t block : {0U, 512U, 2048U}) {  // of the user's own
    const Hdf5File file = Hdf5File::open(scratch_.write("a.h5", std::string(block, 'u') + whole_));
    const Hdf5Group group = file.root().group("group");
    std::vector<std::string> names;
    for (int i = 0; i < 40; ++i) {
      const std::string name = std::string(i < 10 ? "name_0" : "name_") + std::to_string(i);
      EXPECT_EQ(group.has(name), i % 3 != 0) << name;
      if (i % 3 == 0) continue;
      EXPECT_EQ(group.dataset(name).read_all<float>(), std::vector<float>{7});
      names.push_back(name);
    }
    names.insert(names.end(), {"number", "outside", "soft"});
    EXPECT_EQ(group.children(), names);
    EXPECT_EQ(file.root().children(), (std::vector<std::string>{"attributes", "empty", "group", "none"}));
    EXPECT_TRUE(file.root().group("none").children().empty());
    EXPECT_TRUE(contains(message_of<InputError>([&] { group.dataset("soft"); }), "soft link"));
    EXPECT_TRUE(contains(message_of<InputError>([&] { group.dataset("outside"); }), "external storage"));
  }
}

TEST_F(NamesOfGroups, WithoutAnEndAreRefused) {
  for (const char* first : {"number", "name_01", "name_38", "/group/number/of", "outside"}) {
    const std::size_t at = whole_.find(first, names());
    const std::string ends(names() + names_bytes() - at, 'x');
    EXPECT_TRUE(contains(refusal(with(at, ends)), "has no end")) << first;
    EXPECT_TRUE(contains(refusal(with(at + 3, ends.substr(3))), "has no end")) << first;
  }
}

TEST_F(NamesOfGroups, OutsideOfTheirHeapAreRefused) {
  for (const std::uint64_t place :
       {names_bytes(), names_bytes() + 1, std::size_t{1} << 40U, std::size_t{1} << 63U, ~std::size_t{0}}) {
    EXPECT_TRUE(contains(refusal(with(entry("name_01"), little_endian(place, 8))), "has no end"));
  }
  // What a soft link leads to.
  const std::size_t link = entry("soft") + 24;
  ASSERT_EQ(number(link, 4), whole_.find("/group/number/of", names()) - names());
  for (const std::uint64_t place : {std::uint64_t{names_bytes()}, std::uint64_t{0xFFFFFFFFU}})
    EXPECT_TRUE(contains(refusal(with(link, little_endian(place, 4))), "has no end"));
}

TEST_F(NamesOfGroups, AHeapOutsideOfTheFileIsRefused) {
  for (const std::uint64_t bytes : {std::uint64_t{whole_.size()}, std::uint64_t{1} << 34U, ~std::uint64_t{0}})
    EXPECT_TRUE(contains(refusal(with(heap() + 8, little_endian(bytes, 8))), "its names take"));
  EXPECT_TRUE(contains(refusal(with(heap() + 24, little_endian(whole_.size(), 8))), "its names take"));
}

TEST_F(NamesOfGroups, FreeSpaceWithoutAnEndIsRefused) {
  const std::uint64_t free = number(heap() + 16);
  for (const std::uint64_t next :
       {free, free + 8, std::uint64_t{names_bytes() - 8}, std::uint64_t{1} << 32U}) {
    EXPECT_TRUE(contains(refusal(with(names() + free, little_endian(next, 8))), "free space")) << next;
    if (next == free || next == free + 8) continue;
    EXPECT_TRUE(contains(refusal(with(heap() + 16, little_endian(next, 8))), "free space"));
  }
}

TEST_F(NamesOfGroups, ATreeThatLeadsBackToItselfIsRefused) {
  ASSERT_EQ(whole_.substr(tree(), 6), std::string("TREE\0\2", 6));
  const std::size_t first_child = tree() + 24 + 8, second_child = first_child + 16;
  EXPECT_TRUE(contains(refusal(with(first_child, little_endian(tree(), 8))), "back to itself"));
  EXPECT_TRUE(contains(refusal(with(second_child, little_endian(number(first_child), 8))), "back to itself"));
  for (const char* height : {"\0", "\2", "\3", "\xFF"}) {
    EXPECT_TRUE(contains(refusal(with(number(first_child) + 5, std::string(height, 1))), "back to itself"));
  }
}

TEST_F(NamesOfGroups, OfFilesThatHoldADatasetHaveAnEnd) {
  const auto refused = [&](const std::string& path) {
    const Hdf5File file = Hdf5File::open(path);
    return message_of<InputError>([&] { static_cast<void>(file.root().kind("group/outside")); });
  };
  const std::size_t last = whole_.find(std::string("a_file_that_is_not_here\0", 24)) + 23;
  ASSERT_LT(last, whole_.size());
  EXPECT_TRUE(contains(refused(with(last, "x")), "/group/outside is damaged"));
  // In the message: the heap, then where the name begins.
  const std::size_t heap_of_files = whole_.find(little_endian(last - 31, 8)) - 24;
  const std::size_t place = whole_.find(little_endian(heap_of_files, 8) + little_endian(8, 8)) + 8;
  EXPECT_TRUE(contains(refused(with(place, little_endian(32, 8))), "has no end"));
}

TEST_F(NamesOfGroups, AttributesOfEveryKindStandBesideTheOnesThatAreRead) {
  const Hdf5File file = Hdf5File::open(NNTRAIN_TESTS_DIR "/unit/io/files/names.h5");
  const Hdf5Group group = file.root().group("attributes");
  EXPECT_EQ(group.attributes(), (std::vector<std::string>{"array", "before", "behind", "complex", "kind",
                                                          "lists", "nested", "opaque", "pair", "reference"}));
  EXPECT_EQ(group.read_text("before"), "text");
  EXPECT_EQ(group.read_integer("behind"), 7);
  EXPECT_TRUE(contains(message_of<InputError>([&] { group.read_text("pair"); }), "not a text"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { group.read_number("nested"); }), "not one number"));
}

TEST_F(NamesOfGroups, AttributesWhoseMembersPassTheirPlaceAreRefused) {
  const std::size_t type = whole_.find(std::string("pair\0\0\0\0", 8)) + 8;
  ASSERT_EQ(whole_.substr(type, 4), std::string("\x16\2\0\0", 4));  // a compound of two
  const auto refused = [&](std::size_t at, const std::string& bytes) {
    const Hdf5File file = Hdf5File::open(with(at, bytes));
    return message_of<InputError>([&] { file.root().group("attributes").attributes(); });
  };
  for (const std::uint64_t members : {3U, 0xFFFFU})
    EXPECT_TRUE(contains(refused(type + 1, little_endian(members, 2)), "damaged attribute"));
  EXPECT_TRUE(contains(refused(type + 4, little_endian(1U << 20U, 4)), "damaged attribute"));  // its size
  const std::size_t first = type + 8;
  ASSERT_EQ(whole_.substr(first, 8), std::string("a\0\0\0\0\0\0\0", 8));
  EXPECT_TRUE(contains(refused(first + 8, little_endian(9, 4)), "damaged attribute"));  // its place
  EXPECT_TRUE(contains(refused(first + 12, "\1" + std::string(11, '\0') + little_endian(1000, 4)),
                       "damaged attribute"));
}

TEST_F(NamesOfGroups, AnyByteOfWhatIsWalkedMayBeWrong) {
  const auto read = [&](const std::string& path) {
    try {
      const Hdf5File file = Hdf5File::open(path);
      for (const std::string& child : file.root().children())
        static_cast<void>(file.root().group(child).children());
      static_cast<void>(file.root().group("attributes").attributes());
      static_cast<void>(file.root().kind("group/name_39"));
    } catch (const InputError&) {
    }
  };
  for (const char* part : {"TREE", "SNOD", "HEAP"}) {
    for (std::size_t at = whole_.find(part); at != std::string::npos; at = whole_.find(part, at + 1)) {
      for (std::size_t i = 4; i < 40; ++i) read(with(at + i, i % 2 == 0 ? "\1" : "\xFF"));
    }
  }
  const std::size_t attributes = whole_.find(std::string("pair\0\0\0\0", 8));
  for (std::size_t i = 0; i < 700; ++i) read(with(attributes + i, i % 2 == 0 ? "\1" : "\xFF"));
}

}  // namespace
}  // namespace nntrain::io
