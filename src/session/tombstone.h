// What stays of an ended session until its absolute expiry, so that no late commit revives it.
#pragma once

#include <string>

#include "session/record.h"
#include "store/store.h"

namespace stateway::session {

/// The record that ends a session whose live one is at `revision`. The document is gone with it.
inline store::Record tombstone(SessionRecord session, store::Revision revision, std::string principal) {
  session.document = "{}";
  store::Record record;
  record.revision = revision + 1;
  record.state = store::State::ended;
  record.expires_at = session.absolute_expires;
  record.principal = std::move(principal);
  record.value = encode_record(session);
  return record;
}

}  // namespace stateway::session
