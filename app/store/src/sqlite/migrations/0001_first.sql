-- The tables of Landfall.
-- Times are milliseconds since 1970 (UTC). GitHub's numbers are 64-bit. Digests, commits, units,
-- targets and uuids are text. `seq` is the order in which rows came, where that matters.

-- One row that readiness writes to.
create table pulse (
    id integer primary key check (id = 1),
    beat integer not null
) strict;
insert into pulse values (1, 0);

-- When the store was restored from a backup. What GitHub and the providers were told after the backup
-- was taken, it does not know.
create table restore (
    seq integer primary key autoincrement,
    at integer not null,
    taken_at integer not null, -- the backup
    followed_up integer not null default 0 check (followed_up in (0, 1)) -- whether everything was asked for that heals it
) strict;

-- Inbox. Claiming a delivery and ending it rewrites its row, so the body, which is large and stays as
-- it came, is beside it.
create table delivery (
    seq integer primary key autoincrement,
    id text not null unique,
    event text not null,
    action text,
    installation integer,
    repository integer,
    state text not null default 'pending' check (state in ('missed', 'pending', 'processed', 'failed')),
    logged integer, -- the attempt in GitHub's log that it can be had by
    redelivery integer not null default 0 check (redelivery in (0, 1)),
    attempt integer not null default 0,
    ready_at integer not null, -- neither fetched nor claimed before
    error text,
    received_at integer not null
) strict;
create index delivery_pending on delivery (seq) where state = 'pending';
create index delivery_missed on delivery (ready_at, seq) where state = 'missed';
create index delivery_age on delivery (received_at) where state <> 'pending';

-- Gone once purged. One that is pending has its body.
create table delivery_body (
    seq integer primary key references delivery (seq) on delete cascade,
    body blob not null
) strict;

-- How far GitHub's log was read: one row, once it was.
create table delivery_log (
    id integer primary key check (id = 1),
    read_after integer not null, -- the number of an attempt
    read_to integer not null
) strict;

-- Jobs. A job that is done has no row.
create table job (
    id integer primary key autoincrement,
    kind text not null,
    key text not null,
    installation integer not null,
    state text not null default 'waiting' check (state in ('waiting', 'running', 'given_up')),
    run_at integer not null,
    attempt integer not null default 0,
    epoch integer not null default 0,
    worker text,
    lease_until integer,
    error text,
    changed_at integer not null,
    check ((state = 'running') = (lease_until is not null))
) strict;
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
    asked_at integer not null,
    primary key (kind, key)
) strict, without rowid;

-- When an installation was last served, counted in turns: fairness of jobs and of publishing.
create table turn (
    queue text not null check (queue in ('job', 'outbox', 'notification')),
    installation integer not null,
    last integer not null,
    primary key (queue, installation)
) strict, without rowid;

-- What one server does for all of them, again and again.
create table chore (
    name text primary key,
    due integer not null -- not begun before
) strict, without rowid;

create table command (
    source text not null, -- the comment, or the delivery of a click
    idx integer not null,
    repository integer not null,
    pull integer not null,
    author integer not null,
    login text not null,
    text text not null,
    said text, -- the digest of the whole comment; null of a click
    commented_at integer not null,
    received_at integer not null,
    meant text, -- what it turned out to mean: run/<id>, lock/<environment>
    outcome text,
    primary key (source, idx)
) strict, without rowid;
create index command_pending on command (repository, pull) where outcome is null;
create index command_lately on command (repository, pull, received_at);

-- The row stays when a lease is released: its epoch never goes back.
create table target_lease (
    target text primary key,
    epoch integer not null,
    holder text, -- the run; null when nobody holds it
    until integer not null
) strict, without rowid;

create table repository (
    id integer primary key,
    name text not null,
    installation integer not null,
    default_branch text not null,
    active integer not null check (active in (0, 1)),
    compared_at integer -- when its branches were last compared with GitHub's; null before
) strict;
create index repository_by_installation on repository (installation);

create table environment (
    repository integer not null,
    name text not null,
    branch text,
    bootstrapped_at integer,
    last_run text,
    last_commit text,
    last_config text,
    last_rules text,
    last_at integer,
    offered text, -- another branch that was pushed to
    restored_at integer, -- when a restore made this older than the world may be; null once a run has succeeded since
    primary key (repository, name)
) strict, without rowid;

-- Environments in which no run begins.
create table environment_lock (
    repository integer not null,
    environment text not null,
    source text not null, -- the command that put it there
    idx integer not null,
    pull integer not null, -- where that was given
    by integer not null,
    login text not null,
    reason text not null,
    at integer not null,
    primary key (repository, environment)
) strict, without rowid;

-- Where branches are, as webhooks or a comparison said last. A mirror that lacks it was fetched too early.
create table pushed (
    repository integer not null,
    branch text not null,
    head text not null,
    primary key (repository, branch)
) strict, without rowid;

create table pull (
    repository integer not null,
    number integer not null,
    head text not null,
    head_repository integer,
    base text not null,
    author integer not null,
    state text not null check (state in ('open', 'closed', 'merged')),
    merged_at integer,
    merge_commit text,
    merged_by integer,
    updated_at integer not null,
    asked integer not null default 1, -- how often a plan was asked for; the first time by being opened
    planned integer not null default 0, -- the asking that was answered last
    rules text, -- the rules that it was answered by; null where there were none
    stuck integer not null default 0 check (stuck in (0, 1)), -- whether nothing could be planned as the base was
    primary key (repository, number),
    check ((state = 'merged') = (merged_at is not null) and (state = 'merged') = (merge_commit is not null))
) strict, without rowid;
create index pull_open on pull (repository) where state = 'open';
create index pull_merged on pull (repository, merge_commit) where state = 'merged';

-- Heads of forks that somebody has read and allowed to be planned into a base.
create table allowed_head (
    repository integer not null,
    pull integer not null,
    head text not null,
    base text not null,
    source text not null, -- the command that allowed it
    idx integer not null,
    by integer not null,
    login text not null,
    at integer not null,
    primary key (repository, pull, head, base)
) strict, without rowid;

create table plan (
    seq integer primary key autoincrement,
    id text not null unique,
    repository integer not null,
    pull integer,
    environment text not null,
    head text not null,
    base text not null,
    tree text not null,
    config_digest text not null,
    provisional integer not null check (provisional in (0, 1)),
    digest text not null,
    changes text not null, -- a JSON list of digests
    plan text not null,
    created_at integer not null,
    published_at integer,
    published_subject integer,
    discarded integer not null default 0 check (discarded in (0, 1)),
    check ((published_at is null) = (published_subject is null))
) strict;
create index plan_of_pull on plan (repository, pull, environment) where not discarded;
create index plan_by_digest on plan (repository, environment, digest) where not discarded;

create table run (
    seq integer primary key autoincrement,
    id text not null unique,
    repository integer not null,
    environment text not null,
    commit_sha text not null,
    config_digest text not null,
    rules text, -- the blob of the config
    cause text not null,
    state text not null,
    reason text not null default '',
    waiting text, -- what a held one waits for, in JSON
    plan text,
    attempt integer not null default 1,
    stop text, -- who asked a run that is under way to stop before its next step; null when nobody did
    created_at integer not null,
    started_at integer,
    ended_at integer,
    check ((state = 'held') = (waiting is not null)),
    unique (repository, environment, commit_sha, config_digest)
) strict;
create index run_by_state on run (state, seq);
create index run_of_environment on run (repository, environment, seq);

create table approval (
    run text not null references run (id),
    digest text not null,
    by integer not null,
    login text not null,
    at integer not null,
    primary key (run, digest, by)
) strict, without rowid;

create table step (
    seq integer primary key autoincrement,
    run text not null references run (id),
    idx integer not null,
    repository integer not null,
    environment text not null,
    target text not null,
    effect text not null,
    lease_epoch integer, -- null when no provider was called
    state text not null,
    message text not null default '',
    intended_at integer not null,
    ended_at integer,
    unique (run, idx)
) strict;
create index step_unresolved on step (repository, environment) where state in ('intent', 'unknown', 'attention');
create index step_unresolved_at on step (target) where state in ('intent', 'unknown', 'attention');

-- The changes that steps of ours are known to have done, whole or in part.
create table proven_change (
    repository integer not null,
    environment text not null,
    digest text not null,
    whole integer not null check (whole in (0, 1)),
    at integer not null,
    primary key (repository, environment, digest)
) strict, without rowid;

-- State. The primary key is the promise that a resource has one owner.
create table resource (
    target text not null,
    type text not null,
    name text not null,
    repository integer not null,
    environment text not null, -- of the unit, for looking up
    unit text not null,
    value text not null,
    ids text not null, -- a JSON list
    run text not null references run (id),
    primary key (target, type, name)
) strict, without rowid;
create index resource_of_unit on resource (repository, environment, unit);

create table unit (
    repository integer not null,
    environment text not null,
    unit text not null,
    hash text, -- null while a step for it is under way or came to a bad end
    primary key (repository, environment, unit)
) strict, without rowid;

-- Outbox. An item waits while `version` is ahead of `settled`.
create table outbox (
    id integer primary key autoincrement,
    installation integer not null,
    repository integer not null,
    kind text not null,
    subject text not null,
    body text not null,
    priority integer not null,
    version integer not null default 1,
    settled integer not null default 0,
    external text not null default '[]', -- a JSON list of GitHub's ids
    attempt integer not null default 0,
    uncertain integer not null default 0 check (uncertain in (0, 1)),
    ready_at integer not null,
    epoch integer not null default 0,
    claimed_until integer, -- null when nobody publishes it
    error text,
    parked integer not null default 0 check (parked in (0, 1)), -- until the repository is compared again
    unique (repository, kind, subject),
    check (settled <= version)
) strict;
create index outbox_waiting on outbox ((kind = 'notification'), installation, priority, id) where version > settled;
create unique index outbox_one_in_flight on outbox (installation, (kind = 'notification')) where claimed_until is not null;

-- How fast an installation may be told things at GitHub, by all servers together.
create table write_lane (
    installation integer primary key,
    opens_at integer not null default 0,
    whole_at text not null default '[]' -- for each pace, when nothing of it is used up: a JSON list of milliseconds
) strict;

create table audit (
    seq integer primary key autoincrement,
    at integer not null,
    who text not null,
    what text not null,
    repository integer not null,
    environment text,
    digest text,
    why text not null
) strict;
create index audit_of_repository on audit (repository, seq);
create trigger audit_is_never_changed before update on audit begin
    select raise(abort, 'the audit log is only ever added to');
end;
create trigger audit_is_never_shortened before delete on audit begin
    select raise(abort, 'the audit log is only ever added to');
end;
