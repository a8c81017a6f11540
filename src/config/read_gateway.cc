#include <fmt/format.h>

#include "config/sections.h"
#include "io/tls.h"

namespace stateway::config {

gateway::GatewayOptions read_gateway(const Section& section) {
  gateway::GatewayOptions options;
  section.read("threads", options.threads);
  section.read("drain_timeout", options.drain_timeout);
  section.read("hybrid_memory", options.hybrid_bytes_max);
  section.read("debug_headers", options.debug_headers);
  section.read("overlap_memory", options.overlap_bytes_max);
  for (const Text& text : section.texts("trusted_proxies")) {
    Result<PeerNetwork> network = PeerNetwork::parse(text.value);
    if (network)
      options.trusted_proxies.push_back(*network);
    else
      section.report().problem(text.place,
                               fmt::format("trusted_proxies \"{}\": {}", text.raw, network.error().context));
  }
  if (const auto path = section.text("key_file")) {
    options.key_file = path->value;
    if (options.key_file.empty() || options.key_file.find('\0') != std::string::npos)
      section.problem("key_file", "key_file must name a file");
  }
  section.read("session_address", options.session_address);
  if (options.session_address.kind != Address::Kind::tcp)
    section.problem("session_address",
                    "session_address must be host:port: services reach it by an http:// URL");
  if (is_wildcard(options.session_address))
    section.problem("session_address",
                    "session_address must be one address that instances can reach, not all of them");
  return options;
}

gateway::LogOptions read_log(const Section& section) {
  gateway::LogOptions options;
  section.read("access", options.access);
  section.read("format", options.format);
  return options;
}

gateway::LimitsOptions read_limits(const Section& section) {
  gateway::LimitsOptions options;
  section.read("head", options.head_bytes_max);
  section.read("target", options.target_bytes_max);
  section.read("fields", options.fields_max);
  section.read("head_timeout", options.head_timeout);
  section.read("client_idle", options.client_idle);
  section.read("connections", options.connections_max);
  if (options.target_bytes_max > options.head_bytes_max)
    section.problem(section.has("target") ? "target" : "head",
                    "target must not be longer than head, which contains it (8KiB and 16KiB unless set)");
  return options;
}

namespace {

std::optional<gateway::TlsOptions> read_tls(const Section& section) {
  std::optional<std::string> certificates = section.content("cert");
  std::optional<std::string> key = section.content("key");
  if (!certificates || !key) return std::nullopt;
  gateway::TlsOptions options{std::move(*certificates), Secret(std::move(*key))};
  const auto made = io::TlsServer::make(options.certificates, options.key.reveal());
  if (made) return options;
  const io::TlsFault& fault = made.error();
  section.file_problem(fault.in == io::TlsFault::In::key ? "key" : "cert", fault.what);
  return std::nullopt;
}

}  // namespace

gateway::ListenOptions read_listen(const Section& section) {
  gateway::ListenOptions options;
  section.read("address", options.address);
  if (const Value* tls = section.value("tls")) {
    const Section read = section.table("tls");
    if (tls->kind == Value::Kind::table) options.tls = read_tls(read);
  }
  return options;
}

gateway::AdminOptions read_admin(const Section& section) {
  gateway::AdminOptions options;
  section.read("address", options.address);
  options.token = section.token();
  if (!is_local(options.address) && !section.has("token_file"))
    section.problem("address", "token_file is mandatory where other machines can reach the admin API");
  return options;
}

}  // namespace stateway::config
