// Errors as application/problem+json (RFC 9457), and reason phrases. Which Code becomes which status is
// decided in gateway/problem.cc.
#pragma once

#include <string>
#include <string_view>

namespace stateway::http {

inline constexpr std::string_view kProblemContentType = "application/problem+json";

struct Problem {
  std::string_view code = {};   // kebab case (code_name): the type becomes urn:stateway:problem:<code>
  std::string_view title = {};  // empty: the status's reason phrase
  int status = 500;
  std::string_view detail = {};    // left out when empty; may hold octets from a client
  std::string_view instance = {};  // the request id; left out when empty
};

/// One JSON object on one line, the end of the line included. Octets that are not UTF-8 become U+FFFD.
std::string problem_json(const Problem& problem);

/// `text` between double quotes as a JSON string (RFC 8259 §7), appended to `out`. Controls and DEL are
/// escaped; octets that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// The phrase registered for `status`, or that of its class ("Client Error") for one we do not know.
std::string_view reason_phrase(int status);

}  // namespace stateway::http
