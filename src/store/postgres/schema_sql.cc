#include "store/postgres/schema.h"

#include <iterator>

namespace stateway::store::postgres {
namespace {

// Everything is named with its schema: what a role's search_path says must not matter.
constexpr const char kVersion1[] = R"sql(
create schema if not exists stateway;
create table stateway.meta (
  only_row boolean primary key default true check (only_row),
  version integer not null);
insert into stateway.meta (version) values (1);

create table stateway.sessions (
  key bytea primary key,
  revision bigint not null,
  state smallint not null,
  expires_at bigint not null,
  -- About a minute each: an index on expires_at itself would change with every commit.
  due bigint not null generated always as (expires_at >> 16) stored,
  principal bytea not null,
  value bytea not null,
  gateways bigint[] not null,
  sequences bigint[] not null
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
create index sessions_due on stateway.sessions (due);
create index sessions_principal on stateway.sessions (principal, key) where principal <> '';

-- How many there are, as a sum: each connection adds to a row of its own, so that none waits for another.
create table stateway.counts (
  backend integer primary key,
  records bigint not null,
  ended bigint not null
) with (fillfactor = 50);

-- Leases need not outlive a crash: their tokens, which no two ever have, do.
create sequence stateway.lease_tokens;
create unlogged table stateway.leases (
  key bytea primary key,
  token bigint not null,
  until timestamptz not null
) with (fillfactor = 50);

-- Emptied by a crash, by a fail-over and in a restored backup: what was acknowledged may be gone then.
create unlogged table stateway.run (
  only_row boolean primary key default true check (only_row),
  id uuid not null);

create function stateway.hello(out epoch bigint, out records bigint, out ended bigint)
language plpgsql as $$
begin
  insert into stateway.run (id) values (gen_random_uuid()) on conflict do nothing;
  select hashtextextended(concat_ws('/', s.system_identifier,
                                    left(pg_walfile_name(pg_current_wal_lsn()), 8),
                                    r.id, 'stateway.run'::regclass::oid), 0)
    into epoch from pg_control_system() s, stateway.run r;
  select coalesce(sum(c.records), 0), coalesce(sum(c.ended), 0) into records, ended from stateway.counts c;
end $$;

create function stateway.add_to_counts(p_records bigint, p_ended bigint) returns void
language sql as $$
  insert into stateway.counts as c values (pg_backend_pid(), p_records, p_ended)
  on conflict (backend) do update set records = c.records + p_records, ended = c.ended + p_ended
$$;

-- `item` before the others, without the one at `place`; at most 16.
create function stateway.to_front(list bigint[], place integer, item bigint) returns bigint[]
language sql immutable as $$
  select case when place is null then item || list[1:15]
              else item || list[:place - 1] || list[place + 1:] end
$$;

-- Writes in the order of their keys, so that no two commits wait for each other. Outcomes: 0 applied, 1 was
-- applied already, 2 the lease is lost, 3 conflict, 4 full.
create function stateway.commit_all(
  p_now bigint, p_room bigint, p_gateway bigint, p_sequence bigint, p_lease bigint, p_first integer,
  p_keys bytea[], p_expected bigint[], p_revisions bigint[], p_states smallint[], p_expires bigint[],
  p_principals bytea[], p_values bytea[], p_applied integer[], p_gateways bigint[], p_sequences bigint[],
  out outcome integer, out more_records bigint, out more_ended bigint)
language plpgsql as $$
declare
  old record;
  stored boolean[];
  old_states smallint[];
  present boolean;
  held boolean;
  conflict boolean;
  changed boolean := false;
  room bigint;
  place integer;
  skip integer;
  mine_gateways bigint[];
  mine_sequences bigint[];
  other_gateways bigint[];
  other_sequences bigint[];
begin
  <<again>>
  loop
    more_records := 0; more_ended := 0; room := 0; skip := 0; held := true; conflict := false;
    if p_lease <> 0 then
      perform from stateway.leases l
        where l.key = p_keys[p_first] and l.token = p_lease and l.until > clock_timestamp() for update;
      held := found;
    end if;
    for i in 1 .. array_length(p_keys, 1) loop
      select s.revision, s.state, s.expires_at, s.gateways, s.sequences into old
        from stateway.sessions s where s.key = p_keys[i] for update;
      stored[i] := found;
      old_states[i] := old.state;
      present := found and old.expires_at > p_now;
      if i = p_first then
        mine_gateways := case when present then old.gateways
                              else p_gateways[skip + 1:skip + p_applied[i]] end;
        mine_sequences := case when present then old.sequences
                               else p_sequences[skip + 1:skip + p_applied[i]] end;
        if p_gateway <> 0 then
          place := array_position(mine_gateways, p_gateway);
          if present and mine_sequences[place] >= p_sequence then
            outcome := 1;
            return;
          end if;
          mine_gateways := stateway.to_front(mine_gateways, place, p_gateway);
          mine_sequences := stateway.to_front(mine_sequences, place, p_sequence);
        end if;
      end if;
      skip := skip + p_applied[i];
      if p_expected[i] <> (case when present then old.revision else 0 end) then conflict := true; end if;
      if present and old.state = 2 and p_revisions[i] <> 0 and p_states[i] = 0 then conflict := true; end if;
      if p_revisions[i] <> 0 and p_states[i] <> 2 then room := room + 1; end if;
      if stored[i] and old.state <> 2 then room := room - 1; end if;
    end loop;
    outcome := case when not held then 2 when conflict then 3
                    when room > 0 and room > p_room then 4 else 0 end;
    if outcome <> 0 then return; end if;

    skip := 0;
    for i in 1 .. array_length(p_keys, 1) loop
      other_gateways := case when i = p_first then mine_gateways
                             else p_gateways[skip + 1:skip + p_applied[i]] end;
      other_sequences := case when i = p_first then mine_sequences
                              else p_sequences[skip + 1:skip + p_applied[i]] end;
      skip := skip + p_applied[i];
      if p_revisions[i] = 0 then
        delete from stateway.sessions s where s.key = p_keys[i];
        more_records := more_records - stored[i]::integer;
      elsif stored[i] then
        update stateway.sessions s
          set revision = p_revisions[i], state = p_states[i], expires_at = p_expires[i],
              principal = p_principals[i], value = p_values[i],
              gateways = other_gateways, sequences = other_sequences
          where s.key = p_keys[i];
      else
        insert into stateway.sessions
            (key, revision, state, expires_at, principal, value, gateways, sequences)
          values (p_keys[i], p_revisions[i], p_states[i], p_expires[i], p_principals[i], p_values[i],
                  other_gateways, other_sequences)
          on conflict (key) do nothing;
        if not found then  -- somebody was faster, perhaps this very commit by a connection that broke
          if changed then raise exception 'a race for a new record' using errcode = 'SW001'; end if;
          continue again;
        end if;
        more_records := more_records + 1;
      end if;
      changed := true;
      if stored[i] and old_states[i] = 2 then more_ended := more_ended - 1; end if;
      if p_revisions[i] <> 0 and p_states[i] = 2 then more_ended := more_ended + 1; end if;
    end loop;
    if p_lease <> 0 then delete from stateway.leases l where l.key = p_keys[p_first]; end if;
    if more_records <> 0 or more_ended <> 0 then
      perform stateway.add_to_counts(more_records, more_ended);
    end if;
    return;
  end loop;
end $$;

-- The usual commit: one record that is there gets its next revision.
create function stateway.commit_one(
  p_now bigint, p_room bigint, p_gateway bigint, p_sequence bigint, p_key bytea,
  p_expected bigint, p_revision bigint,
  p_state smallint, p_expires bigint, p_principal bytea, p_value bytea,
  out outcome integer, out more_records bigint, out more_ended bigint)
language plpgsql as $$
begin
  outcome := 0; more_records := 0; more_ended := 0;
  update stateway.sessions s
    set revision = p_revision, state = p_state, expires_at = p_expires, principal = p_principal,
        value = p_value,
        gateways = case when p_gateway = 0 then s.gateways
          else stateway.to_front(s.gateways, array_position(s.gateways, p_gateway), p_gateway) end,
        sequences = case when p_gateway = 0 then s.sequences
          else stateway.to_front(s.sequences, array_position(s.gateways, p_gateway), p_sequence) end
    where s.key = p_key and s.revision = p_expected and s.expires_at > p_now and s.state <> 2
      and (p_gateway = 0
           or coalesce(s.sequences[array_position(s.gateways, p_gateway)] < p_sequence, true));
  if found then return; end if;
  select c.outcome, c.more_records, c.more_ended into outcome, more_records, more_ended
    from stateway.commit_all(p_now, p_room, p_gateway, p_sequence, 0, 1, array[p_key], array[p_expected],
                             array[p_revision], array[p_state], array[p_expires], array[p_principal],
                             array[p_value], array[0], '{}', '{}') c;
end $$;

-- Locked records are skipped: whoever has them moves their expiry as well.
create function stateway.touch(p_now bigint, p_keys bytea[], p_expires bigint[]) returns void
language plpgsql as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  update stateway.sessions s set expires_at = t.later
    from (select s2.key, u.later from unnest(p_keys, p_expires) u (key, later)
            join stateway.sessions s2 on s2.key = u.key
            where s2.state <> 2 and s2.expires_at > p_now and s2.expires_at < u.later
            order by s2.key for update of s2 skip locked) t
    where s.key = t.key;
end $$;

create function stateway.sweep(p_now bigint, p_most integer,
                               out swept bigint, out records bigint, out ended bigint)
language plpgsql as $$
declare
  swept_ended bigint;
  merged_records bigint;
  merged_ended bigint;
begin
  perform set_config('synchronous_commit', 'off', true);
  with due as materialized (
      select s.key from stateway.sessions s
        where s.due <= p_now >> 16 and s.expires_at <= p_now
        order by s.due limit p_most for update skip locked),
    gone as (delete from stateway.sessions s using due where s.key = due.key returning s.state)
  select count(*), count(*) filter (where g.state = 2) into swept, swept_ended from gone g;
  delete from stateway.leases l where l.until < clock_timestamp() - interval '1 minute';
  if swept > 0 then perform stateway.add_to_counts(-swept, -swept_ended); end if;
  if (select count(*) from stateway.counts) > 64 then  -- most of connections that are over
    perform stateway.add_to_counts(0, 0);
    with others as materialized (
        select c.backend from stateway.counts c where c.backend <> pg_backend_pid() for update skip locked),
      gone as (delete from stateway.counts c using others where c.backend = others.backend
               returning c.records, c.ended)
    select coalesce(sum(g.records), 0), coalesce(sum(g.ended), 0)
      into merged_records, merged_ended from gone g;
    perform stateway.add_to_counts(merged_records, merged_ended);
  end if;
  select coalesce(sum(c.records), 0), coalesce(sum(c.ended), 0) into records, ended from stateway.counts c;
end $$;

-- The token, or 0 while somebody else holds the lease.
create function stateway.take_lease(p_key bytea, p_ms bigint) returns bigint
language plpgsql as $$
declare
  taken bigint;
begin
  perform set_config('synchronous_commit', 'off', true);
  insert into stateway.leases as l
    values (p_key, nextval('stateway.lease_tokens'), clock_timestamp() + p_ms * interval '1 millisecond')
    on conflict (key) do update set token = excluded.token, until = excluded.until
      where l.until <= clock_timestamp()
    returning l.token into taken;
  return coalesce(taken, 0);
end $$;

create function stateway.extend_lease(p_key bytea, p_token bigint, p_ms bigint) returns void
language plpgsql as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  update stateway.leases l set until = clock_timestamp() + p_ms * interval '1 millisecond'
    where l.key = p_key and l.token = p_token;
end $$;

create function stateway.give_back_lease(p_key bytea, p_token bigint) returns void
language plpgsql as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  delete from stateway.leases l where l.key = p_key and l.token = p_token;
end $$;

-- For an operator who has changed the table by hand.
create function stateway.recount() returns void
language sql as $$
  lock table stateway.sessions in share mode;
  delete from stateway.counts;
  insert into stateway.counts
    select 0, count(*), count(*) filter (where s.state = 2) from stateway.sessions s;
$$;
)sql";

constexpr const char* kMigrations[] = {kVersion1};

}  // namespace

std::span<const char* const> migrations() { return kMigrations; }
int schema_version() { return static_cast<int>(std::size(kMigrations)); }

}  // namespace stateway::store::postgres
