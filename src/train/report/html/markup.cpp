#include "train/report/html/markup.h"

namespace nntrain::train::html {

namespace {

constexpr const char* kReplacement = "\xEF\xBF\xBD";

/// Length of the UTF-8 sequence at `at`, 0 when there is none (overlong forms and surrogates are none).
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned>(static_cast<unsigned char>(text[i])) : 0U;
  };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first < 0xE0   ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return 0;
  }
  const unsigned second = byte(at + 1);
  const bool wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0) ||
                     (first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90);
  return wrong ? 0 : length;
}

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2330; --soft: #5d6678; --line: #d9dee7; --panel: #f5f7fa;
  --s0: #1f6fd6; --s1: #d9541e; --s2: #2b8a4b; --s3: #8a4bc0; --heat: 31, 111, 214; --accent: #1f6fd6; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171d; --ink: #e4e8ef; --soft: #9aa4b5; --line: #333a47;
  --panel: #1c2129; --s0: #6aa9ff; --s1: #ff9a6b; --s2: #6fd394; --s3: #c79bf0; --heat: 90, 160, 255; --accent: #6aa9ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: 0.5rem 0 0; } h2 { font-size: 1.2rem; margin: 2rem 0 0.5rem;
  border-bottom: 1px solid var(--line); } h3 { font-size: 1rem; margin: 1.2rem 0 0.3rem; }
p { margin: 0.4rem 0; } .soft, figcaption { color: var(--soft); }
.note { border-left: 4px solid var(--s1); background: var(--panel); padding: 0.3rem 0.8rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.9rem; }
th, td { padding: 0.15rem 0.6rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: normal; } th { font-weight: 600; color: var(--soft); }
td.break { overflow-wrap: anywhere; min-width: 8rem; }
@media (max-width: 30rem) { th, td { padding: 0.15rem 0.35rem; } td.break { min-width: 5rem; } }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.heat { background: rgba(var(--heat), calc(0.75 * var(--share))); text-align: right; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: 0.1rem 1rem; margin: 0.4rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
pre { background: var(--panel); border: 1px solid var(--line); padding: 0.6rem; overflow-x: auto; font-size: 0.85rem;
  overflow-wrap: normal; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 0.6rem; margin: 1rem 0; }
.tile { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 0.4rem 0.8rem; }
.tile b { display: block; font-size: 1.25rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); gap: 1rem; }
figure { margin: 0; } figcaption { font-size: 0.9rem; } .key { display: inline-block; max-width: 100%; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--ink); font-size: 13px; }
svg .soft { fill: var(--soft); } svg .grid { stroke: var(--line); stroke-width: 1; }
svg polyline { fill: none; stroke-width: 2; stroke-linejoin: round; } svg .dash { stroke-dasharray: 5 4; }
.s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); } .s2 { stroke: var(--s2); } .s3 { stroke: var(--s3); }
.f0 { fill: var(--s0); } .f1 { fill: var(--s1); } .f2 { fill: var(--s2); } .f3 { fill: var(--s3); }
.t0 { fill: #9c755f; } .t1 { fill: #4e79a7; } .t2 { fill: #2f5a87; } .t3 { fill: #76b7b2; } .t4 { fill: #f28e2b; }
.t5 { fill: #59a14f; } .t6 { fill: #edc948; } .t7 { fill: #b07aa1; } .t8 { fill: #e15759; } .t9 { fill: #bab0ac; }
.flow { fill: var(--s0); fill-opacity: 0.18; }
@media print { :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --panel: #fff;
    --s0: #1f6fd6; --s1: #d9541e; --s2: #2b8a4b; --s3: #8a4bc0; --heat: 31, 111, 214; print-color-adjust: exact; }
  body { font-size: 10pt; max-width: none; padding: 0; } h2 { margin-top: 1rem; } h2, h3 { break-after: avoid; }
  figure, tr, .note, .tiles { break-inside: avoid; } .charts { grid-template-columns: 1fr 1fr; }
  .wide, pre { overflow: visible; } pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  table { font-size: 8pt; } th, td { padding: 1pt 3pt; overflow-wrap: anywhere; } svg { max-height: 12cm; }
  details::details-content { content-visibility: visible; block-size: auto; } }
)";

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    const char c = text[at];
    const bool forbidden = static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r';
    if (length == 0 || forbidden) {
      result += kReplacement;
    } else if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else if (c == '"') {
      result += "&quot;";
    } else if (c == '\'') {
      result += "&#39;";
    } else {
      result += text.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  return result;
}

std::string element(const std::string& tag, const std::string& content, const std::string& attributes) {
  std::string text = "<" + tag;
  if (!attributes.empty()) text += " " + attributes;
  return text + ">" + content + "</" + tag + ">";
}

std::string section(const std::string& heading, const std::string& content) {
  return content.empty() ? "" : element("section", element("h2", escaped(heading)) + "\n" + content) + "\n";
}

std::string table(const std::vector<std::string>& columns,
                  const std::vector<std::vector<std::string>>& rows) {
  const auto number = [&](std::size_t i) { return columns[i].starts_with('>'); };
  std::string head, body;
  for (std::size_t i = 0; i < columns.size(); ++i)
    head +=
        element("th", escaped(number(i) ? columns[i].substr(1) : columns[i]), number(i) ? "class=\"n\"" : "");
  for (const std::vector<std::string>& row : rows) {
    std::string cells;
    for (std::size_t i = 0; i < row.size(); ++i)
      cells += element("td", escaped(row[i]), number(i) ? "class=\"n\"" : "class=\"break\"");
    body += element("tr", cells) + "\n";
  }
  return element("div",
                 element("table", element("thead", element("tr", head)) + "\n" + element("tbody", body)),
                 "class=\"wide\"") +
         "\n";
}

std::string facts(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string content;
  for (const auto& [name, value] : entries) {
    if (!value.empty()) content += element("dt", escaped(name)) + element("dd", escaped(value)) + "\n";
  }
  return content.empty() ? "" : element("dl", content) + "\n";
}

std::string code(const std::string& text) { return element("pre", escaped(text)) + "\n"; }

std::string page(const std::string& title, const std::string& subtitle, const std::string& body) {
  const std::string head =
      "<meta charset=\"utf-8\" />\n"
      "<meta name=\"generator\" content=\"nntrain-dist\" />\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n" +
      element("title", escaped(title)) + "\n" + element("style", kStyle) + "\n";
  const std::string top = element(
      "header", element("h1", escaped(title)) + "\n" + element("p", escaped(subtitle), "class=\"soft\""));
  return "<!DOCTYPE html>\n" +
         element("html",
                 "\n" + element("head", "\n" + head) + "\n" +
                     element("body", "\n" + top + "\n" + element("main", "\n" + body) + "\n") + "\n",
                 "lang=\"en\"") +
         "\n";
}

}  // namespace nntrain::train::html
