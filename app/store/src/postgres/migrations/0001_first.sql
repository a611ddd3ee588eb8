-- The tables of Landfall, column for column as in SQLite.
-- Times are milliseconds since 1970 (UTC), as everywhere else. All numbers are 64-bit. Digests,
-- commits, units, targets and uuids are text. So is JSON: what is compared with what was written
-- before must come back byte by byte. `seq` is the order in which rows came, where that matters.

-- One row that readiness writes to.
create table pulse (
    id bigint primary key check (id = 1),
    beat bigint not null
);
insert into pulse values (1, 0);

-- When the store was restored from a backup. What GitHub and the providers were told after the backup
-- was taken, it does not know.
create table restore (
    seq bigint generated always as identity primary key,
    at bigint not null,
    taken_at bigint not null, -- the backup
    followed_up boolean not null default false -- whether everything was asked for that heals it
);

-- Inbox. Claiming a delivery and ending it rewrites its row, so the body, which is large and stays as
-- it came, is beside it.
create table delivery (
    seq bigint generated always as identity primary key,
    id text not null unique,
    event text not null,
    action text,
    installation bigint,
    repository bigint,
    state text not null default 'pending' check (state in ('missed', 'pending', 'processed', 'failed')),
    logged bigint, -- the attempt in GitHub's log that it can be had by
    redelivery boolean not null default false,
    attempt bigint not null default 0,
    ready_at bigint not null, -- neither fetched nor claimed before
    error text,
    received_at bigint not null
);
create index delivery_pending on delivery (seq) where state = 'pending';
create index delivery_missed on delivery (ready_at, seq) where state = 'missed';
create index delivery_age on delivery (received_at) where state <> 'pending';

-- Gone once purged. One that is pending has its body.
create table delivery_body (
    seq bigint primary key references delivery (seq) on delete cascade,
    body bytea not null
);

-- How far GitHub's log was read: one row, once it was.
create table delivery_log (
    id bigint primary key check (id = 1),
    read_after bigint not null, -- the number of an attempt
    read_to bigint not null
);

-- Jobs. A job that is done has no row.
create table job (
    id bigint generated always as identity primary key,
    kind text not null,
    key text not null,
    installation bigint not null,
    state text not null default 'waiting' check (state in ('waiting', 'running', 'given_up')),
    run_at bigint not null,
    attempt bigint not null default 0,
    epoch bigint not null default 0,
    worker text,
    lease_until bigint,
    error text,
    changed_at bigint not null,
    check ((state = 'running') = (lease_until is not null))
);
create unique index job_one_waiting on job (kind, key) where state = 'waiting';
create unique index job_one_running on job (key) where state = 'running';
create index job_by_key on job (key);
create index job_next on job (installation, id) where state = 'waiting';
create index job_attempts on job (attempt) where state = 'waiting';
create index job_busy on job (installation) where state = 'running';

-- When work that comes again and again was last asked for.
create table recurring (
    kind text not null,
    key text not null,
    asked_at bigint not null,
    primary key (kind, key)
);

-- When an installation was last served, counted in turns: fairness of jobs and of publishing.
create sequence turn_taken;
create table turn (
    queue text not null check (queue in ('job', 'outbox', 'notification')),
    installation bigint not null,
    last bigint not null,
    primary key (queue, installation)
);

-- What one server does for all of them, again and again.
create table chore (
    name text primary key,
    due bigint not null -- not begun before
);

create table command (
    source text not null, -- the comment, or the delivery of a click
    idx bigint not null,
    repository bigint not null,
    pull bigint not null,
    author bigint not null,
    login text not null,
    text text not null,
    said text, -- the digest of the whole comment; null of a click
    commented_at bigint not null,
    received_at bigint not null,
    meant text, -- what it turned out to mean: run/<id>, lock/<environment>
    outcome text,
    primary key (source, idx)
);
create index command_pending on command (repository, pull) where outcome is null;
create index command_lately on command (repository, pull, received_at);

-- The row stays when a lease is released: its epoch never goes back.
create table target_lease (
    target text primary key,
    epoch bigint not null,
    holder text, -- the run; null when nobody holds it
    until bigint not null
);

create table repository (
    id bigint primary key,
    name text not null,
    installation bigint not null,
    default_branch text not null,
    active boolean not null,
    compared_at bigint -- when its branches were last compared with GitHub's; null before
);
create index repository_by_installation on repository (installation);

create table environment (
    repository bigint not null,
    name text not null,
    branch text,
    bootstrapped_at bigint,
    last_run text,
    last_commit text,
    last_config text,
    last_rules text,
    last_at bigint,
    offered text, -- another branch that was pushed to
    restored_at bigint, -- when a restore made this older than the world may be; null once a run has succeeded since
    primary key (repository, name)
);

-- Environments in which no run begins.
create table environment_lock (
    repository bigint not null,
    environment text not null,
    source text not null, -- the command that put it there
    idx bigint not null,
    pull bigint not null, -- where that was given
    by bigint not null,
    login text not null,
    reason text not null,
    at bigint not null,
    primary key (repository, environment)
);

-- Where branches are, as webhooks or a comparison said last. A mirror that lacks it was fetched too early.
create table pushed (
    repository bigint not null,
    branch text not null,
    head text not null,
    primary key (repository, branch)
);

create table pull (
    repository bigint not null,
    number bigint not null,
    head text not null,
    head_repository bigint,
    base text not null,
    author bigint not null,
    state text not null check (state in ('open', 'closed', 'merged')),
    merged_at bigint,
    merge_commit text,
    merged_by bigint,
    updated_at bigint not null,
    asked bigint not null default 1, -- how often a plan was asked for; the first time by being opened
    planned bigint not null default 0, -- the asking that was answered last
    rules text, -- the rules that it was answered by; null where there were none
    stuck boolean not null default false, -- whether nothing could be planned as the base was
    primary key (repository, number),
    check ((state = 'merged') = (merged_at is not null) and (state = 'merged') = (merge_commit is not null))
);
create index pull_open on pull (repository) where state = 'open';
create index pull_merged on pull (repository, merge_commit) where state = 'merged';

-- Heads of forks that somebody has read and allowed to be planned into a base.
create table allowed_head (
    repository bigint not null,
    pull bigint not null,
    head text not null,
    base text not null,
    source text not null, -- the command that allowed it
    idx bigint not null,
    by bigint not null,
    login text not null,
    at bigint not null,
    primary key (repository, pull, head, base)
);

create table plan (
    seq bigint generated always as identity primary key,
    id text not null unique,
    repository bigint not null,
    pull bigint,
    environment text not null,
    head text not null,
    base text not null,
    tree text not null,
    config_digest text not null,
    provisional boolean not null,
    digest text not null,
    changes text not null, -- a JSON list of digests
    plan text not null,
    created_at bigint not null,
    published_at bigint,
    published_subject bigint,
    discarded boolean not null default false,
    check ((published_at is null) = (published_subject is null))
);
create index plan_of_pull on plan (repository, pull, environment) where not discarded;
create index plan_by_digest on plan (repository, environment, digest) where not discarded;

create table run (
    seq bigint generated always as identity primary key,
    id text not null unique,
    repository bigint not null,
    environment text not null,
    commit_sha text not null,
    config_digest text not null,
    rules text, -- the bytea of the config
    cause text not null,
    state text not null,
    reason text not null default '',
    waiting text, -- what a held one waits for, in JSON
    plan text,
    attempt bigint not null default 1,
    stop text, -- who asked a run that is under way to stop before its next step; null when nobody did
    created_at bigint not null,
    started_at bigint,
    ended_at bigint,
    check ((state = 'held') = (waiting is not null)),
    unique (repository, environment, commit_sha, config_digest)
);
create index run_by_state on run (state, seq);
create index run_of_environment on run (repository, environment, seq);

create table approval (
    run text not null references run (id),
    digest text not null,
    by bigint not null,
    login text not null,
    at bigint not null,
    primary key (run, digest, by)
);

create table step (
    seq bigint generated always as identity primary key,
    run text not null references run (id),
    idx bigint not null,
    repository bigint not null,
    environment text not null,
    target text not null,
    effect text not null,
    lease_epoch bigint, -- null when no provider was called
    state text not null,
    message text not null default '',
    intended_at bigint not null,
    ended_at bigint,
    unique (run, idx)
);
create index step_unresolved on step (repository, environment) where state in ('intent', 'unknown', 'attention');
create index step_unresolved_at on step (target) where state in ('intent', 'unknown', 'attention');

-- The changes that steps of ours are known to have done, whole or in part.
create table proven_change (
    repository bigint not null,
    environment text not null,
    digest text not null,
    whole boolean not null,
    at bigint not null,
    primary key (repository, environment, digest)
);

-- State. The primary key is the promise that a resource has one owner.
create table resource (
    target text not null,
    type text not null,
    name text not null,
    repository bigint not null,
    environment text not null, -- of the unit, for looking up
    unit text not null,
    value text not null,
    ids text not null, -- a JSON list
    run text not null references run (id),
    primary key (target, type, name)
);
create index resource_of_unit on resource (repository, environment, unit);

create table unit (
    repository bigint not null,
    environment text not null,
    unit text not null,
    hash text, -- null while a step for it is under way or came to a bad end
    primary key (repository, environment, unit)
);

-- Outbox. An item waits while `version` is ahead of `settled`.
create table outbox (
    id bigint generated always as identity primary key,
    installation bigint not null,
    repository bigint not null,
    kind text not null,
    subject text not null,
    body text not null,
    priority bigint not null,
    version bigint not null default 1,
    settled bigint not null default 0,
    external text not null default '[]', -- a JSON list of GitHub's ids
    attempt bigint not null default 0,
    uncertain boolean not null default false,
    ready_at bigint not null,
    epoch bigint not null default 0,
    claimed_until bigint, -- null when nobody publishes it
    error text,
    parked boolean not null default false, -- until the repository is compared again
    unique (repository, kind, subject),
    check (settled <= version)
);
create index outbox_waiting on outbox ((kind = 'notification'), installation, priority, id) where version > settled;
create unique index outbox_one_in_flight on outbox (installation, (kind = 'notification')) where claimed_until is not null;

-- How fast an installation may be told things at GitHub, by all servers together.
create table write_lane (
    installation bigint primary key,
    opens_at bigint not null default 0,
    whole_at text not null default '[]' -- for each pace, when nothing of it is used up: a JSON list of milliseconds
);

create table audit (
    seq bigint generated always as identity primary key,
    at bigint not null,
    who text not null,
    what text not null,
    repository bigint not null,
    environment text,
    digest text,
    why text not null
);
create index audit_of_repository on audit (repository, seq);
create function audit_refuses() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is only ever added to';
end;
$$;
create trigger audit_is_never_changed before update or delete on audit
    for each row execute function audit_refuses();
create trigger audit_is_never_emptied before truncate on audit
    for each statement execute function audit_refuses();
