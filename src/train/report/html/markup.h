#pragma once
// The pieces of a page. A page is one file: styles and drawings are inside it, it fetches nothing and runs no
// script. Every tag is closed and every attribute quoted, so that a page is well-formed XML too. Pure.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nntrain::train::html {

/// Text of the user's, safe between tags and in quoted attributes; bytes that are no UTF-8, or that XML
/// forbids, become U+FFFD.
std::string escaped(std::string_view text);

/// `<tag attributes>content</tag>`; content is markup.
std::string element(const std::string& tag, const std::string& content, const std::string& attributes = "");

/// A section with a heading; "" when there is no content.
std::string section(const std::string& heading, const std::string& content);

/// The cells of a table are text; columns whose name starts with '>' are numbers, right-aligned.
std::string table(const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows);

/// Names and values, one a line.
std::string facts(const std::vector<std::pair<std::string, std::string>>& entries);

/// What a user may copy.
std::string code(const std::string& text);

/// The whole file.
std::string page(const std::string& title, const std::string& subtitle, const std::string& body);

}  // namespace nntrain::train::html
