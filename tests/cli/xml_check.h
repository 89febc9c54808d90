#pragma once
// Is a page well-formed? Tags close in order, attributes are quoted and different, text holds no bare < or &.

#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace nntrain::cli_test {

class XmlCheck {
 public:
  /// "" when `text` is well-formed, else what is wrong and where.
  static std::string complaint(std::string_view text) {
    XmlCheck check(text);
    return check.run();
  }

 private:
  explicit XmlCheck(std::string_view text) : text_(text) {}

  std::string run() {
    if (text_.starts_with("<!DOCTYPE html>")) at_ = 15;
    while (at_ < text_.size()) {
      const bool fine = text_[at_] == '<' ? tag() : text_[at_] == '&' ? entity() : character();
      if (!fine) return "at byte " + std::to_string(at_) + ": " + std::string(text_.substr(at_, 60));
    }
    return open_.empty() && roots_ == 1 ? "" : "elements left open or several roots";
  }

  bool character() {
    if (text_[at_] == '>' || (open_.empty() && !std::isspace(static_cast<unsigned char>(text_[at_])))) {
      // ">" is fine in text, but ours is always written &gt; outside styles.
      return !open_.empty() && open_.back() == "style" && ++at_ > 0;
    }
    ++at_;
    return true;
  }

  bool entity() {
    for (const char* known : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}) {
      if (!text_.substr(at_).starts_with(known)) continue;
      at_ += std::string_view(known).size();
      return true;
    }
    return false;
  }

  std::string name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '-'))
      ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  bool tag() {
    ++at_;
    const bool closes = at_ < text_.size() && text_[at_] == '/';
    if (closes) ++at_;
    const std::string element = name();
    if (element.empty()) return false;
    if (closes) {
      if (open_.empty() || open_.back() != element || text_[at_] != '>') return false;
      open_.pop_back();
      ++at_;
      return true;
    }
    if (open_.empty()) ++roots_;
    if (!attributes()) return false;
    if (text_.substr(at_).starts_with("/>")) {
      at_ += 2;
      return true;
    }
    if (at_ >= text_.size() || text_[at_] != '>') return false;
    ++at_;
    open_.push_back(element);
    return true;
  }

  bool attributes() {
    std::set<std::string> seen;
    while (true) {
      bool space = false;
      while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) {
        ++at_;
        space = true;
      }
      if (at_ >= text_.size() || text_[at_] == '>' || text_[at_] == '/') return at_ < text_.size();
      const std::string key = name();
      if (!space || key.empty() || !seen.insert(key).second || !text_.substr(at_).starts_with("=\""))
        return false;
      at_ += 2;
      while (at_ < text_.size() && text_[at_] != '"') {
        if (text_[at_] == '<') return false;
        if (text_[at_] == '&') {
          if (!entity()) return false;
        } else {
          ++at_;
        }
      }
      ++at_;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string> open_;
  int roots_ = 0;
};

}  // namespace nntrain::cli_test
