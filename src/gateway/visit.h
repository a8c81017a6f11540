// Placement "hybrid": the document stays at home when the process that gets the request holds it.
#pragma once

#include "gateway/exchange.h"

namespace stateway::gateway {

/// Before x's request goes to the instance of x.answer, which has its connection: fills x.answer->visit,
/// whose held() is sent instead of the document. `with_document`: it is sent whatever is known. False: the
/// session is to be loaded again first (Holders::Visit::outdated).
bool begin_visit(Exchange& x, bool with_document);
/// The answer's head asks for the document that was not sent, and for nothing else: the process has had no
/// effect.
bool needs_document(const Exchange& x);
/// What is known after such an answer, whose rest is read if that does not take long: its connection is used
/// again.
io::Task<void> end_visit_in_need(Exchange& x);
/// After an answer of a process that did without the document.
void count_spared(const Exchange& x);
/// After the commit.
void end_visit(Exchange& x);

}  // namespace stateway::gateway
