#pragma once
// Rows of a table that come piece by piece, from a pipe or a terminal.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/array_source.h"
#include "data/tables/dialect.h"
#include "data/tables/unknown_words.h"

namespace nntrain::data {

class TableStream {
 public:
  /// `options.training` says which columns there are; `name` stands in messages.
  TableStream(SourceOptions options, std::string name);

  struct Block {
    std::int64_t rows = 0;
    std::vector<float> values;  ///< (rows, inputs)
    std::vector<TextColumn> ids;
    std::vector<std::string> notes;  ///< with the first rows, and of all with the last
  };
  /// Takes the next piece of the text, cut anywhere; `last`: nothing follows. Returns the rows that are whole
  /// now. The first records decide dialect and header. InputError as open_array, with lines of the whole
  /// text.
  Block add(std::string_view piece, bool last);

 private:
  Block add_whole(std::string_view piece, bool last);
  std::size_t whole_records(bool last) const;
  void begin(std::string_view text);
  bool begins_with_header(std::string_view record) const;
  bool holds_rows(std::string_view text) const;

  SourceOptions options_;
  std::string name_, pending_;
  char quote_;
  std::optional<Dialect> dialect_;
  std::string header_;  ///< with its line end; empty: there is none
  std::int64_t lines_ = 0, rows_ = 0;
  std::map<std::string, UnknownWords> unknown_;  ///< by column
};

}  // namespace nntrain::data
