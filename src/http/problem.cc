#include "http/problem.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/bytes.h"

namespace stateway::http {
namespace {

// By status. RFC 9110 §15, RFC 6585, RFC 8297, RFC 8470.
constexpr std::pair<int, std::string_view> kReasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default:
      break;
  }
  if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) {
    out.push_back(c);
    return;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  out.append("\\u00").append(
      {kDigits[static_cast<std::size_t>(c >> 4)], kDigits[static_cast<std::size_t>(c & 15)]});
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out.append(",\"").append(name).append("\":");
  append_json_string(out, value);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const std::size_t size = utf8_sequence(text);
    if (size == 0)
      out.append("\\ufffd");
    else if (size == 1)
      append_escaped(out, text.front());
    else
      out.append(text.substr(0, size));
    text.remove_prefix(size == 0 ? 1 : size);
  }
  out.push_back('"');
}

std::string problem_json(const Problem& problem) {
  std::string out = "{\"type\":";
  append_json_string(out, std::string("urn:stateway:problem:").append(problem.code));
  append_member(out, "title", problem.title.empty() ? reason_phrase(problem.status) : problem.title);
  out.append(",\"status\":").append(std::to_string(problem.status));
  if (!problem.detail.empty()) append_member(out, "detail", problem.detail);
  if (!problem.instance.empty()) append_member(out, "instance", problem.instance);
  out.append("}\n");
  return out;
}

std::string_view reason_phrase(int status) {
  const auto known = std::ranges::lower_bound(kReasons, status, {}, &std::pair<int, std::string_view>::first);
  if (known != std::end(kReasons) && known->first == status) return known->second;
  constexpr std::string_view kClasses[] = {"Informational", "Success", "Redirection", "Client Error",
                                           "Server Error"};
  return status >= 100 && status < 600 ? kClasses[status / 100 - 1] : "Unknown";
}

}  // namespace stateway::http
