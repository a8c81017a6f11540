#include "store/redis/greeting.h"

namespace stateway::store::redis {
namespace {

std::string first_word(const std::string& text) { return text.substr(0, text.find(' ')); }

/// What an error in answer to AUTH means. Its text is not repeated: who does not know the command quotes what
/// came with it, and that is the password.
Error refused_login(const Reply& reply) {
  Error error{Code::store_unavailable, Side::store, Retry::never,
              "it refuses AUTH: " + first_word(reply.text)};
  if (reply.text.starts_with("ERR unknown command")) {
    error.code = Code::invalid_argument;
    error.context = "the url has a password, but the server does not know AUTH";
  } else if (reply.text.starts_with("ERR max number of clients")) {
    error.context = "it refuses: it has as many clients as its maxclients allows";
  }
  return error;
}

/// What an error in answer to our first words means.
Error refusal(const Reply& reply, bool login) {
  Error error{Code::invalid_argument, Side::store, Retry::never, {}};
  if (reply.is_error("WRONGPASS") || reply.text.starts_with("ERR invalid password")) {
    error.context = "wrong user or password in the url";
  } else if (reply.is_error("NOAUTH")) {
    error.context = "it wants a password: write it into the url, as in redis://:password@host";
  } else if (reply.text.contains("without any password configured")) {
    error.context = "the url has a password, but the server asks for none";
  } else if (login) {
    error = refused_login(reply);
  } else if (reply.is_error("NOPERM")) {
    error.context = "the user lacks a permission: " + reply.text;
  } else if (reply.text.contains("DB index")) {
    error.context = "it does not have the database that the url names";
  } else {
    // Too many clients, loading, and what we do not know: it may pass.
    error.code = Code::store_unavailable;
    error.context = "it refuses: " + reply.text;
  }
  return error;
}

}  // namespace

Greeting::Greeting(const std::string& user, const Secret& password, unsigned database)
    : authenticates_(!password.empty()), selects_(database != 0) {
  std::string commands;
  if (authenticates_) {
    commands += user.empty() ? format_command({"AUTH", password.reveal()})
                             : format_command({"AUTH", user, password.reveal()});
    ++size_;
  }
  if (selects_) {
    commands += format_command({"SELECT", std::to_string(database)});
    ++size_;
  }
  // The name is for who looks at CLIENT LIST; whether it is allowed does not matter.
  commands += format_command({"CLIENT", "SETNAME", "stateway"}) + format_command({"INFO"});
  size_ += 2;
  commands_ = Secret(std::move(commands));
}

Result<ServerFacts> Greeting::facts(std::span<const Reply> replies) const {
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const bool may_fail = i == size_ - 2 && replies.size() == size_;  // the name
    if (replies[i].is_error() && !may_fail)
      return std::unexpected<Error>(refusal(replies[i], authenticates_ && i == 0));
  }
  if (replies.size() < size_) return fail(Code::store_unavailable, Side::store, "ended the connection");
  const Reply& info = replies.back();
  if (info.kind != Reply::Kind::text)
    return fail(Code::invalid_argument, Side::store, "its INFO is no text: it is no Redis or Valkey");
  return parse_info(info.text);
}

}  // namespace stateway::store::redis
