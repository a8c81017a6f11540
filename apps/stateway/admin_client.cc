#include "stateway/admin_client.h"

#include <fmt/format.h>

#include "config/scalar.h"
#include "io/task_group.h"
#include "stateway/answer.h"

namespace stateway {
namespace {

std::unexpected<Error> bad_usage(std::string sentence) {
  return fail(Code::invalid_argument, Side::client, std::move(sentence));
}

constexpr std::size_t kAnswerBytesMax = 80 * 1024 * 1024;  // one session, whose document may have 64 MiB

/// Where to connect to what listens on `address`.
Address reachable(Address address) {
  if (is_wildcard(address)) address.host = address.host == "::" ? "::1" : "127.0.0.1";
  return address;
}

}  // namespace

Result<AdminApi> find_admin_api(const AdminChoice& choice, const config::Config* configuration) {
  AdminApi api;
  if (choice.address) {
    auto address = parse_address(*choice.address);
    if (!address) return bad_usage(fmt::format("--admin {}: {}", *choice.address, address.error().context));
    api.address = std::move(*address);
    api.from_option = true;
  } else {
    CHECK(configuration != nullptr);
    api.address = configuration->admin.address;
  }
  if (api.address.kind == Address::Kind::tcp && api.address.port == 0)
    return bad_usage(
        "the admin address has port 0, which is another one at each start: name the gateway's by "
        "--admin (its log says it)");
  api.address = reachable(std::move(api.address));

  if (!choice.token_file) {
    if (!api.from_option) api.token = configuration->admin.token;
    return api;
  }
  auto content = config::system_sources().file(*choice.token_file);
  if (!content)
    return bad_usage(fmt::format("--token-file {}: {}", *choice.token_file, content.error().context));
  auto token = config::token_of(std::move(*content));
  if (!token) return bad_usage(fmt::format("--token-file {}: {}", *choice.token_file, token.error()));
  api.token = std::move(*token);
  return api;
}

AdminClient::AdminClient(AdminApi api, Duration deadline) : api_(std::move(api)), deadline_(deadline) {}

std::expected<std::unique_ptr<AdminClient>, int> AdminClient::open(const Command& command, std::FILE* err) {
  std::optional<config::Config> configuration;
  if (!command.admin.address) {
    auto loaded = config::load(command.config_path);
    if (!loaded) {
      for (const config::Problem& problem : loaded.error()) fmt::print(err, "{}\n", to_string(problem));
      return std::unexpected(kExitBadUsage);
    }
    configuration = std::move(*loaded);
  }
  auto api = find_admin_api(command.admin, configuration ? &*configuration : nullptr);
  if (api) return std::make_unique<AdminClient>(std::move(*api));
  fmt::print(err, "stateway: {}\n", api.error().context);
  return std::unexpected(kExitBadUsage);
}

io::Task<void> AdminClient::exchange(const wire::ClientRequest& request, const wire::Client::Sink* into,
                                     Result<wire::ClientResponse>& out) {
  const TimePoint until = loop_.now() + deadline_;
  auto stream = co_await network_.connect(api_.address, until);
  if (stream) {
    wire::Client client(std::move(*stream), {.head = {}, .body_bytes_max = kAnswerBytesMax});
    if (into != nullptr)
      out = co_await client.download(request, deadline_, *into);
    else
      out = co_await client.exchange(request, until);
  } else {
    out = pass_on(std::move(stream));
  }
  loop_.stop();
}

Result<std::string> AdminClient::told(const Error& error) const {
  switch (error.code) {
    case Code::connect_failed:
      return fail(
          Code::connect_failed, Side::client,
          fmt::format("no gateway answers at {}: start it, or name its admin address by --admin", name()));
    case Code::timeout:
    case Code::connect_timeout:
      return fail(Code::timeout, Side::client,
                  fmt::format("the gateway at {} did not answer within {} s: try again, or look at its log",
                              name(), deadline_ / 1s));
    default:
      return fail(Code::bad_response, Side::client,
                  fmt::format("what listens at {} does not answer as a gateway's admin API does ({}): name "
                              "another address by --admin",
                              name(), error.context.empty() ? code_name(error.code) : error.context));
  }
}

Result<std::string> AdminClient::refused(const wire::ClientResponse& response) const {
  const Answer problem = Answer::parse(response.body);
  std::string detail(problem.text("detail"));
  if (detail.empty()) detail = problem.text("title");
  if (response.status == 401)
    return fail(
        Code::forbidden, Side::client,
        fmt::format("the gateway at {} asks for {} token: name its file by --token-file{}", name(),
                    api_.token ? "another" : "a",
                    api_.from_option ? "; the configuration's is not sent to an address given by --admin"
                                     : ", or as token_file of [admin] in the configuration"));
  const Code code = response.status == 404   ? Code::not_found
                    : response.status == 409 ? Code::conflict
                                             : Code::bad_response;
  if (detail.empty()) detail = fmt::format("status {}", response.status);
  return fail(code, Side::client, fmt::format("the gateway at {} refuses: {}", name(), detail));
}

Result<wire::ClientResponse> AdminClient::ask(std::string_view method, std::string_view target,
                                              const wire::Client::Sink* into) {
  const std::string host = api_.address.kind == Address::Kind::tcp ? name() : "localhost";
  wire::ClientRequest request{.method = method, .target = target, .host = host};
  if (api_.token) request.fields.emplace_back("Authorization", "Bearer " + std::string(api_.token->reveal()));
  if (method != "GET") request.fields.emplace_back("Content-Type", "application/json");
  request.fields.emplace_back("Connection", "close");

  Result<wire::ClientResponse> response = fail(Code::internal);
  {
    io::TaskGroup tasks;
    tasks.spawn(exchange(request, into, response));
    loop_.run();
  }
  return response;
}

Result<std::string> AdminClient::call(std::string_view method, std::string_view target) {
  auto response = ask(method, target, nullptr);
  if (!response) return told(response.error());
  if (response->status < 200 || response->status > 299) return refused(*response);
  return std::move(response->body);
}

Result<void> AdminClient::download(std::string_view method, std::string_view target,
                                   const wire::Client::Sink& into) {
  std::optional<Error> not_taken;
  const wire::Client::Sink sink = [&](std::string_view piece) -> Result<void> {
    auto taken = into(piece);
    if (!taken) not_taken = taken.error();
    return taken;
  };
  const auto response = ask(method, target, &sink);
  if (not_taken) return std::unexpected(std::move(*not_taken));
  if (!response) {
    const auto why = told(response.error());
    return std::unexpected(why.error());
  }
  if (response->status < 200 || response->status > 299) {
    const auto why = refused(*response);
    return std::unexpected(why.error());
  }
  return {};
}

}  // namespace stateway
