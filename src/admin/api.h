// The admin API of a gateway (docs/admin-api.md): what wire::Server asks for answers.
#pragma once

#include "admin/access.h"
#include "admin/sources.h"
#include "wire/server.h"

namespace stateway::admin {

/// Belongs to the loop of its sources. Must outlive the server that asks it.
class Api final : public wire::Handler {
 public:
  /// `own` is where the API listens, with the bound port.
  Api(Address own, Sources sources) : own_(std::move(own)), sources_(std::move(sources)) {}

  /// Every answer is for its caller alone: no cache keeps it, no browser guesses its type.
  io::Task<wire::Response> handle(const wire::Request& request) override;

 private:
  io::Task<wire::Response> answer(const wire::Request& request);

  const Address own_;
  const Sources sources_;
};

}  // namespace stateway::admin
