#include "gateway/stages/identify.h"

#include "base/bytes.h"
#include "gateway/on_loop.h"
#include "http/cookies.h"
#include "session/cookie.h"

namespace stateway::gateway {
namespace {

Result<void> take_operation(session::Slot& slot, std::string_view value) {
  if (value == "renew")
    slot.renew = true;
  else if (value == "end")
    slot.end = true;
  else if (value == "need")
    return fail(Code::bad_patch, Side::upstream,
                "Stateway-Session-Op: need, although the document was sent, or beside changes");
  else
    return fail(Code::bad_patch, Side::upstream,
                "Stateway-Session-Op is none of renew, end and need: " + std::string(value));
  return {};
}

}  // namespace

io::Task<Result<Verdict>> IdentifyStage::enter(Exchange& x) {
  if (!x.use->session) co_return Verdict();
  const session::SessionOptions& kind = x.config->sessions[*x.use->session];
  const std::string name = session::cookie_name(kind, x.secure);
  auto slot = co_await x.on.sessions.open(x.on.loop, kind, x.secure, http::find_all(x.request.fields, name));
  if (!slot) co_return pass_on(std::move(slot));
  x.session.emplace(std::move(*slot));
  co_return Verdict();
}

Result<void> IdentifyStage::leave(Exchange& x) {
  const http::Fields& fields = x.answer->head.fields;
  if (!x.session || !fields.has(http::FieldId::stateway)) return {};
  session::Slot& slot = *x.session;
  std::vector<std::string_view> patches;
  for (const http::Field& f : fields) {
    if (f.id != http::FieldId::stateway) continue;
    if (equals_ignoring_case(f.name, "Stateway-Session-Patch")) patches.push_back(f.value);
    if (equals_ignoring_case(f.name, "Stateway-Session-Principal")) {
      if (!session::is_principal(f.value))
        return fail(Code::bad_patch, Side::upstream,
                    "Stateway-Session-Principal is not UTF-8, or longer than 1,024 octets");
      slot.new_principal = std::string(f.value);
    }
    if (equals_ignoring_case(f.name, "Stateway-Session-Hold")) {
      if (!session::is_hold_token(f.value))
        return fail(Code::bad_patch, Side::upstream,
                    "Stateway-Session-Hold is not 1 to 64 of A-Z a-z 0-9 . _ ~ -");
      x.answer->visit.keeps(std::string(f.value));
    }
    if (equals_ignoring_case(f.name, "Stateway-Session-Op"))
      if (auto taken = take_operation(slot, f.value); !taken) return taken;
  }
  if (!patches.empty())
    if (auto added = slot.patches.add_header_values(patches); !added) return added;
  if (slot.new_principal && !slot.renew)
    return fail(Code::bad_patch, Side::upstream,
                "Stateway-Session-Principal needs Stateway-Session-Op: renew");
  return {};
}

}  // namespace stateway::gateway
