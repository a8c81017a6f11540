#include "stateway/admin_client.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "io/test_loop.h"
#include "wire/server.h"

namespace stateway {
namespace {

using testing::HasSubstr;

/// A server on a thread of its own, which gives every request the same answer.
class Server final : public wire::Handler {
 public:
  explicit Server(wire::Response response) : response_(std::move(response)) {
    thread_ = std::thread([this] {
      io::TaskGroup tasks;
      tasks.spawn(server_.accept_from(acceptor_));
      loop_.run();
    });
  }
  ~Server() override {
    loop_.stop();
    thread_.join();
  }
  Address address() const { return socket_.address(); }
  io::Task<wire::Response> handle(const wire::Request& request) override {
    asked = std::string(request.head.target);
    for (const http::Field& field : request.head.fields)
      if (field.name == "Authorization") token = std::string(field.value);
    co_return response_;
  }
  std::string asked, token;  // of the last request

 private:
  wire::Response response_;
  io::EpollLoop loop_;
  io::ListenSocket socket_ = io::ListenSocket::open({.host = "127.0.0.1"}).value();
  io::SocketAcceptor acceptor_{loop_, socket_};
  wire::Server server_{loop_, *this, {}};
  std::thread thread_;
};

Result<std::string> call(const Address& address, Duration deadline = AdminClient::kDeadline,
                         std::optional<Secret> token = {}) {
  AdminClient client({.address = address, .token = std::move(token)}, deadline);
  return client.call("GET", "/v1/status");
}

wire::Response problem(int status, std::string body) {
  wire::Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

TEST(AdminClient, GivesTheBodyAndTheTokenIsSent) {
  Server server(problem(200, "{}"));
  EXPECT_EQ(call(server.address(), 10s, Secret("abc")).value(), "{}");
  EXPECT_EQ(server.asked, "/v1/status");
  EXPECT_EQ(server.token, "Bearer abc");
}

TEST(AdminClient, WhatIsRefusedIsSaidInTheGatewaysWords) {
  const struct {
    int status;
    const char* body;
    Code code;
    const char* said;
  } rows[] = {
      {404, R"({"title":"t","detail":"no such session"})", Code::not_found, "refuses: no such session"},
      {409, R"({"title":"There are no keys"})", Code::conflict, "refuses: There are no keys"},
      {503, "", Code::bad_response, "refuses: status 503"},
      {401, "{}", Code::forbidden, "asks for a token: name its file by --token-file"},
  };
  for (const auto& row : rows) {
    Server server(problem(row.status, row.body));
    const auto refused = call(server.address());
    ASSERT_FALSE(refused.has_value()) << row.status;
    EXPECT_EQ(refused.error().code, row.code) << row.status;
    EXPECT_THAT(refused.error().context, HasSubstr(row.said));
  }
}

TEST(AdminClient, WhoGaveTheAddressIsToldThatTheConfigurationsTokenIsNotSent) {
  Server server(problem(401, "{}"));
  AdminClient client({.address = server.address(), .token = {}, .from_option = true}, 10s);
  const auto refused = client.call("GET", "/v1/status");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().context,
            fmt::format("the gateway at {} asks for a token: name its file by --token-file; the "
                        "configuration's is not sent to an address given by --admin",
                        to_string(server.address())));
}

TEST(AdminClient, EveryCallHasADeadline) {
  const auto silent = io::ListenSocket::open({.host = "127.0.0.1"}).value();  // nobody accepts
  const auto waited = call(silent.address(), 1s);
  ASSERT_FALSE(waited.has_value());
  EXPECT_EQ(waited.error().code, Code::timeout);
  EXPECT_THAT(waited.error().context, HasSubstr("did not answer within 1 s"));
}

TEST(AdminClient, NobodyThereIsAnAnswerOfItsOwn) {
  Address gone;
  {
    const auto socket = io::ListenSocket::open({.host = "127.0.0.1"}).value();
    gone = socket.address();
  }
  EXPECT_EQ(call(gone).error().code, Code::connect_failed);
  Address unix_socket{.kind = Address::Kind::unix_socket, .path = "/nonexistent/socket"};
  const auto refused = call(unix_socket);
  EXPECT_EQ(refused.error().code, Code::connect_failed);
  EXPECT_THAT(refused.error().context, HasSubstr("no gateway answers at unix:/nonexistent/socket: start it"));
}

TEST(FindAdminApi, TheCommandLineGoesBeforeTheFile) {
  config::Config file;
  file.admin.address = parse_address("0.0.0.0:8090").value();
  file.admin.token = Secret("of the file");
  const auto by_file = find_admin_api({}, &file);
  EXPECT_EQ(to_string(by_file->address), "127.0.0.1:8090") << "a wildcard is no destination";
  EXPECT_EQ(by_file->token->reveal(), "of the file");
  const auto by_option = find_admin_api({.address = "[::]:1"}, &file);
  EXPECT_EQ(to_string(by_option->address), "[::1]:1");
  EXPECT_FALSE(by_option->token.has_value()) << "of the file's gateway, which that may not be";

  file.admin.address.port = 0;
  EXPECT_THAT(find_admin_api({}, &file).error().context, HasSubstr("has port 0"));
  EXPECT_THAT(find_admin_api({.address = "nonsense"}, nullptr).error().context,
              HasSubstr("--admin nonsense: "));
  EXPECT_THAT(find_admin_api({.address = "a:1", .token_file = "/nonexistent"}, nullptr).error().context,
              HasSubstr("--token-file /nonexistent: "));
}

}  // namespace
}  // namespace stateway
