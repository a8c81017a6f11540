// The admin API of a running gateway, as the commands of this program call it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/secret.h"
#include "config/config.h"
#include "io/sockets.h"
#include "io/worker.h"
#include "stateway/cli.h"
#include "wire/client.h"

namespace stateway {

/// Where it is, and what it asks for.
struct AdminApi {
  Address address;
  std::optional<Secret> token;
  bool from_option = false;  // the address: --admin says it
};

/// The API that `choice` names, or else the configuration; nullptr where that was not read. The
/// configuration's token is for its own address alone. Errors: invalid_argument with one sentence for whoever
/// typed the command.
Result<AdminApi> find_admin_api(const AdminChoice& choice, const config::Config* configuration);

/// Calls it, one call after the other. Each blocks the thread and has a deadline. Not thread-safe.
class AdminClient {
 public:
  static constexpr Duration kDeadline = 10s;  // a page of a thousand sessions takes some 100 ms

  explicit AdminClient(AdminApi api, Duration deadline = kDeadline);
  /// For the gateway that `command` names; reads the configuration unless --admin says all. Otherwise the
  /// exit code, and what is wrong was written to `err`.
  static std::expected<std::unique_ptr<AdminClient>, int> open(const Command& command, std::FILE* err);

  /// The body of the answer, if that is a success. Errors, each with one sentence that says what to do:
  /// connect_failed: no gateway runs there; timeout; not_found, conflict: the gateway says so; forbidden: it
  /// asks for another token; bad_response: what answered is no gateway, or refused.
  Result<std::string> call(std::string_view method, std::string_view target);

  /// The same for an answer of any length, which goes to `into` as it comes; each piece has the deadline.
  Result<void> download(std::string_view method, std::string_view target, const wire::Client::Sink& into);

  /// As the configuration names it.
  std::string name() const { return to_string(api_.address); }

 private:
  io::Task<void> exchange(const wire::ClientRequest& request, const wire::Client::Sink* into,
                          Result<wire::ClientResponse>& out);
  Result<wire::ClientResponse> ask(std::string_view method, std::string_view target,
                                   const wire::Client::Sink* into);
  Result<std::string> told(const Error& error) const;
  Result<std::string> refused(const wire::ClientResponse& response) const;

  const AdminApi api_;
  const Duration deadline_;
  io::EpollLoop loop_;
  io::Worker resolver_{"resolver"};
  io::SocketNetwork network_{loop_, resolver_};
};

}  // namespace stateway
