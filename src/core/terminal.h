#pragma once
// What is known of the terminal that standard output leads to, under a launcher too.

#include <cstdint>
#include <string>
#include <string_view>

namespace nntrain::terminal {

/// Does standard output end at a terminal? Open MPI gives its ranks a pseudo-terminal whatever becomes of
/// their output: what counts there is where the launcher writes to.
bool is_output();

/// Its width now: TIOCGWINSZ, else COLUMNS, else 80.
std::int64_t columns();

/// Does the locale (LC_ALL, LC_CTYPE, LANG) say UTF-8?
bool speaks_utf8();

/// Columns that UTF-8 text takes, never too few: characters of Asian scripts and symbols count two.
std::int64_t width_of(std::string_view text);

/// The longest beginning of `text` that takes at most `columns` columns; no character is cut in two.
std::string_view cut(std::string_view text, std::int64_t columns);

}  // namespace nntrain::terminal
