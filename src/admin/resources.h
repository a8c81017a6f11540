// The calls of the admin API (docs/admin-api.md), by resource.
#pragma once

#include "admin/call.h"

namespace stateway::admin {

// health.cc
/// 200 as long as the process serves.
Answer get_healthz(const Call& call);
/// 200 when new requests would be served: not draining, every service has an available instance, the store
/// takes writes. Else 503, whose detail says which is not.
Answer get_readyz(const Call& call);

// status.cc
Answer get_status(const Call& call);
Answer get_routes(const Call& call);
/// Every key of the configuration in force and what it is set to.
Answer get_configuration(const Call& call);

// reload.cc
/// 200 with what has changed, once it is in force; 422 with the problems, and then nothing has changed; 503
/// while draining.
Answer reload(const Call& call);

// services.cc
Answer get_services(const Call& call);
/// names: service, instance. 202 with the instance; 404; 409 for one that is not supervised or leaves the
/// service; 503 while the gateway stops.
Answer restart_instance(const Call& call);
/// names: service, instance. 200 with the instance; 404.
Answer drain_instance(const Call& call);
/// names: service, instance. 200 with the instance; 404; 409 for one that leaves the service.
Answer undrain_instance(const Call& call);
/// names: service; body: {"count":n}, 1 to upstream::kCountMax. 202 with the service; 400; 404; 409 for one
/// that is not supervised; 503 while the gateway stops.
Answer scale_service(const Call& call);

// sessions.cc
/// Sessions in the order of their ids, without documents: ?principal=&kind=&after=&limit= (1–1000).
Answer list_sessions(const Call& call);
/// names: public id. With the document: whoever passes the access rules has the role "operate", there being
/// no others.
Answer get_session(const Call& call);
/// names: public id. 204 once the end is committed.
Answer end_session(const Call& call);

// keys.cc
/// The keys that seal cookies, oldest first, and what each does now; never the keys themselves.
Answer get_keys(const Call& call);
/// 200 with the keys, once the new one is in the file and in use here; 409 when no session needs keys; 503
/// with the reason when the file cannot be changed.
Answer rotate_keys(const Call& call);

// store.cc
/// 200 with one file of what the store held at one moment (docs/formats/backup.md), sent while it is read;
/// breaks off if that fails. 409 for stores that have backups of their own, and while sessions move.
Answer back_up_store(const Call& call);
/// Begins to move what the previous store has left, or goes on with it: 202 with how much that is, 409 when
/// there is none. /v1/status says how far it is.
Answer copy_store(const Call& call);

}  // namespace stateway::admin
