"""The form of the database. Append only: a migration that was released is never edited."""

from sqlite_utils import Database
from sqlite_utils import Migrations as Base


class Migrations(Base):
    def names(self) -> set[str]:
        return {one.name for one in self._migrations}


migrations = Migrations("homeport")


@migrations()
def m001_foundation(db: Database) -> None:
    for statement in FOUNDATION.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m002_engine(db: Database) -> None:
    for statement in ENGINE.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m003_access(db: Database) -> None:
    for statement in ACCESS.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m004_activity(db: Database) -> None:
    for statement in ACTIVITY.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m005_secrets(db: Database) -> None:
    for statement in SECRETS.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m006_factors(db: Database) -> None:
    for statement in FACTORS.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m007_sign_in(db: Database) -> None:
    for statement in SIGN_IN.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m008_approvals(db: Database) -> None:
    for statement in APPROVALS.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m009_failures(db: Database) -> None:
    db.execute(FAILURES)


@migrations()
def m010_url_fronts(db: Database) -> None:
    for statement in URL_FRONTS.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m011_variables(db: Database) -> None:
    for statement in VARIABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m012_certificates(db: Database) -> None:
    for statement in CERTIFICATES.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m013_notifications(db: Database) -> None:
    for statement in NOTIFICATIONS.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m014_process_log(db: Database) -> None:
    for statement in PROCESS_LOG.split(";\n"):
        if statement.strip():
            db.execute(statement)


FOUNDATION = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE saved (
    name TEXT PRIMARY KEY, value TEXT NOT NULL, updated_at TEXT NOT NULL, updated_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE setup_links (hash TEXT PRIMARY KEY, expires_at TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE people (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE COLLATE NOCASE, password TEXT NOT NULL, role TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE sessions (
    id TEXT PRIMARY KEY, person_id TEXT NOT NULL REFERENCES people ON DELETE CASCADE, created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL, ip TEXT, agent TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_person ON sessions (person_id);
CREATE TABLE keys (
    id TEXT PRIMARY KEY, person_id TEXT NOT NULL REFERENCES people ON DELETE CASCADE, name TEXT NOT NULL,
    prefix TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL, expires_at TEXT, last_used_at TEXT,
    last_used_from TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_person ON keys (person_id, id);
CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL, created_by TEXT NOT NULL,
    last_number INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE environments (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    name TEXT NOT NULL, backend TEXT NOT NULL, created_at TEXT NOT NULL, live TEXT,
    UNIQUE (project_id, name)
) STRICT;
CREATE TABLE bundles (
    sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, files INTEGER NOT NULL, unpacked INTEGER NOT NULL,
    filename TEXT NOT NULL, created_at TEXT NOT NULL, created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE deployments (
    id TEXT PRIMARY KEY, number INTEGER NOT NULL, project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    environment_id INTEGER NOT NULL REFERENCES environments ON DELETE CASCADE, status TEXT NOT NULL,
    source TEXT NOT NULL, bundle TEXT NOT NULL, size INTEGER NOT NULL, files INTEGER NOT NULL,
    steps TEXT NOT NULL, error TEXT,
    created_by TEXT NOT NULL, created_at TEXT NOT NULL, started_at TEXT, finished_at TEXT, origin TEXT,
    overtaken_by TEXT, cancel_asked_by TEXT,
    UNIQUE (project_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX deployments_environment ON deployments (environment_id, id);
CREATE INDEX deployments_project ON deployments (project_id, id);
CREATE INDEX deployments_status ON deployments (status, id);
CREATE INDEX deployments_bundle ON deployments (bundle);
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, subject TEXT NOT NULL, queue TEXT NOT NULL,
    status TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, run_at TEXT NOT NULL, lease_until TEXT, worker TEXT,
    error TEXT
) STRICT;
CREATE INDEX jobs_status ON jobs (status, run_at);
CREATE INDEX jobs_queue ON jobs (queue, status);
CREATE TABLE urls (
    host TEXT PRIMARY KEY, environment_id INTEGER NOT NULL REFERENCES environments ON DELETE CASCADE,
    status TEXT NOT NULL, error TEXT, nginx TEXT NOT NULL, dns TEXT NOT NULL, proxied INTEGER,
    created_at TEXT NOT NULL, created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX urls_environment ON urls (environment_id, host);
CREATE TABLE journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, subject TEXT NOT NULL, intent TEXT NOT NULL,
    status TEXT NOT NULL, outcome TEXT, started_at TEXT NOT NULL, ended_at TEXT
) STRICT;
CREATE INDEX journal_status ON journal (status, id);
CREATE TABLE activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, actor TEXT NOT NULL, actor_kind TEXT NOT NULL,
    verb TEXT NOT NULL, subject TEXT NOT NULL, project TEXT, environment TEXT, deployment TEXT, door TEXT NOT NULL,
    ip TEXT, data TEXT NOT NULL
) STRICT;
CREATE INDEX activity_project ON activity (project, id);
CREATE TRIGGER activity_kept BEFORE UPDATE ON activity BEGIN SELECT RAISE(ABORT, 'activity is never edited'); END;
CREATE TRIGGER activity_added BEFORE INSERT ON activity WHEN EXISTS (SELECT 1 FROM activity WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'activity is never replaced'); END;
CREATE TRIGGER activity_whole BEFORE DELETE ON activity BEGIN SELECT RAISE(ABORT, 'activity is never removed'); END;
CREATE TABLE idempotency (
    actor TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, deployment TEXT, created_at TEXT NOT NULL,
    PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;
"""

ENGINE = """
CREATE TABLE releases (
    name TEXT PRIMARY KEY, files INTEGER NOT NULL, unpacked INTEGER NOT NULL, made_at TEXT NOT NULL,
    written INTEGER NOT NULL DEFAULT 0, needed_with INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX releases_needed ON releases (needed_with);
CREATE TABLE rules (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE xrays (
    deployment TEXT PRIMARY KEY REFERENCES deployments ON DELETE CASCADE, state TEXT NOT NULL,
    warnings INTEGER NOT NULL, notes INTEGER NOT NULL, added INTEGER NOT NULL, removed INTEGER NOT NULL,
    changed INTEGER NOT NULL, body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE xray_facts (
    release TEXT PRIMARY KEY REFERENCES releases ON DELETE CASCADE, version TEXT NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE TABLE uploads (
    id TEXT PRIMARY KEY, actor TEXT NOT NULL, length INTEGER NOT NULL, metadata TEXT NOT NULL, bundle TEXT,
    created_at TEXT NOT NULL, expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE backups (
    id TEXT PRIMARY KEY, place TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, size INTEGER,
    sha256 TEXT, error TEXT, created_at TEXT NOT NULL, finished_at TEXT, created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE nginx_edits (
    host TEXT PRIMARY KEY, what TEXT NOT NULL, detail TEXT NOT NULL, body TEXT, wanted TEXT NOT NULL,
    seen_at TEXT NOT NULL, kept_at TEXT, kept_by TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE deployment_counts (status TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO deployment_counts SELECT status, count(*) FROM deployments GROUP BY status;
CREATE TRIGGER deployment_came AFTER INSERT ON deployments BEGIN
    INSERT INTO deployment_counts VALUES (NEW.status, 1) ON CONFLICT DO UPDATE SET n = n + 1; END;
CREATE TRIGGER deployment_went AFTER DELETE ON deployments BEGIN
    UPDATE deployment_counts SET n = n - 1 WHERE status = OLD.status; END;
CREATE TRIGGER deployment_left AFTER UPDATE OF status ON deployments WHEN OLD.status <> NEW.status BEGIN
    UPDATE deployment_counts SET n = n - 1 WHERE status = OLD.status; END;
CREATE TRIGGER deployment_became AFTER UPDATE OF status ON deployments WHEN OLD.status <> NEW.status BEGIN
    INSERT INTO deployment_counts VALUES (NEW.status, 1) ON CONFLICT DO UPDATE SET n = n + 1; END;
CREATE INDEX deployments_live ON deployments (environment_id, status, id);
CREATE INDEX environments_name ON environments (name);
CREATE INDEX urls_status ON urls (status, host);
CREATE TABLE url_counts (status TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO url_counts SELECT status, count(*) FROM urls GROUP BY status;
CREATE TRIGGER url_came AFTER INSERT ON urls BEGIN
    INSERT INTO url_counts VALUES (NEW.status, 1) ON CONFLICT DO UPDATE SET n = n + 1; END;
CREATE TRIGGER url_went AFTER DELETE ON urls BEGIN
    UPDATE url_counts SET n = n - 1 WHERE status = OLD.status; END;
CREATE TRIGGER url_left AFTER UPDATE OF status ON urls WHEN OLD.status <> NEW.status BEGIN
    UPDATE url_counts SET n = n - 1 WHERE status = OLD.status; END;
CREATE TRIGGER url_became AFTER UPDATE OF status ON urls WHEN OLD.status <> NEW.status BEGIN
    INSERT INTO url_counts VALUES (NEW.status, 1) ON CONFLICT DO UPDATE SET n = n + 1; END;
CREATE INDEX activity_actor ON activity (actor, id);
ALTER TABLE bundles ADD COLUMN release TEXT;
ALTER TABLE bundles ADD COLUMN made INTEGER NOT NULL DEFAULT 0;
CREATE INDEX bundles_release ON bundles (release);
ALTER TABLE deployments ADD COLUMN release TEXT;
ALTER TABLE deployments ADD COLUMN rules TEXT;
ALTER TABLE deployments ADD COLUMN replaced TEXT;
CREATE INDEX deployments_release ON deployments (release);
UPDATE deployments SET replaced = (
    SELECT max(earlier.id) FROM deployments earlier WHERE earlier.environment_id = deployments.environment_id
    AND earlier.status = 'succeeded' AND earlier.id < deployments.id
) WHERE status = 'succeeded';
CREATE INDEX deployments_went_live ON deployments (environment_id, release, id) WHERE status = 'succeeded';
ALTER TABLE environments ADD COLUMN site TEXT NOT NULL DEFAULT '{}';
ALTER TABLE environments ADD COLUMN guard TEXT NOT NULL DEFAULT '{}';
ALTER TABLE environments ADD COLUMN frozen TEXT;
CREATE TABLE name_starts (n INTEGER PRIMARY KEY) STRICT;
INSERT INTO name_starts WITH RECURSIVE starts (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM starts WHERE n < 40)
    SELECT n FROM starts;
CREATE TABLE project_tails (
    tail TEXT NOT NULL, project_id INTEGER NOT NULL, PRIMARY KEY (tail, project_id)
) STRICT, WITHOUT ROWID;
INSERT INTO project_tails SELECT substr(name, n), id FROM projects JOIN name_starts ON n <= length(name);
CREATE TRIGGER project_came AFTER INSERT ON projects BEGIN
    INSERT INTO project_tails SELECT substr(NEW.name, n), NEW.id FROM name_starts WHERE n <= length(NEW.name); END;
CREATE TRIGGER project_renamed BEFORE UPDATE OF name ON projects BEGIN
    DELETE FROM project_tails WHERE project_id = OLD.id AND tail IN (SELECT substr(OLD.name, n) FROM name_starts); END;
CREATE TRIGGER project_named AFTER UPDATE OF name ON projects BEGIN
    INSERT INTO project_tails SELECT substr(NEW.name, n), NEW.id FROM name_starts WHERE n <= length(NEW.name); END;
CREATE TRIGGER project_went AFTER DELETE ON projects BEGIN
    DELETE FROM project_tails WHERE project_id = OLD.id AND tail IN (SELECT substr(OLD.name, n) FROM name_starts); END;
CREATE TABLE release_counts (one INTEGER PRIMARY KEY CHECK (one = 1), n INTEGER NOT NULL) STRICT;
INSERT INTO release_counts SELECT 1, count(*) FROM releases;
CREATE TRIGGER release_came AFTER INSERT ON releases BEGIN UPDATE release_counts SET n = n + 1; END;
CREATE TRIGGER release_went AFTER DELETE ON releases BEGIN UPDATE release_counts SET n = n - 1; END;
CREATE TRIGGER release_doubted AFTER UPDATE OF status, release ON deployments
WHEN OLD.status <> NEW.status OR OLD.release IS NOT NEW.release BEGIN
    UPDATE releases SET needed_with = NULL WHERE needed_with IS NOT NULL AND name IN (
        SELECT OLD.release UNION SELECT release FROM bundles WHERE sha256 = NEW.bundle
        UNION SELECT release FROM deployments
        WHERE NEW.status = 'succeeded' AND environment_id = NEW.environment_id AND status = 'succeeded'
    ); END;
CREATE TRIGGER release_replaced AFTER UPDATE OF live ON environments WHEN OLD.live IS NOT NEW.live BEGIN
    UPDATE releases SET needed_with = NULL WHERE needed_with IS NOT NULL AND name IN (
        SELECT release FROM deployments WHERE id = OLD.live
        UNION SELECT release FROM deployments WHERE environment_id = NEW.id AND status = 'succeeded'
    ); END;
CREATE TRIGGER release_forgotten AFTER DELETE ON deployments BEGIN
    UPDATE releases SET needed_with = NULL WHERE needed_with IS NOT NULL AND name IN (
        SELECT OLD.release UNION SELECT release FROM bundles WHERE sha256 = OLD.bundle
    ); END;
CREATE TRIGGER release_exchanged AFTER UPDATE OF release ON bundles WHEN OLD.release IS NOT NEW.release BEGIN
    UPDATE releases SET needed_with = NULL WHERE name = OLD.release; END;
CREATE TRIGGER release_unbundled AFTER DELETE ON bundles BEGIN
    UPDATE releases SET needed_with = NULL WHERE name = OLD.release; END;
"""

ACCESS = """
CREATE TABLE teams (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL, created_by TEXT NOT NULL)
STRICT, WITHOUT ROWID;
CREATE TABLE team_members (
    team_id TEXT NOT NULL REFERENCES teams ON DELETE CASCADE,
    person_id TEXT NOT NULL REFERENCES people ON DELETE CASCADE, PRIMARY KEY (team_id, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX team_members_person ON team_members (person_id);
CREATE TABLE grants (
    id TEXT PRIMARY KEY, person_id TEXT REFERENCES people ON DELETE CASCADE,
    team_id TEXT REFERENCES teams ON DELETE CASCADE,
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    environment_id INTEGER REFERENCES environments ON DELETE CASCADE, role TEXT NOT NULL, created_at TEXT NOT NULL,
    created_by TEXT NOT NULL, CHECK ((person_id IS NULL) <> (team_id IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX grants_place ON grants (
    project_id, coalesce(environment_id, 0), coalesce(person_id, ''), coalesce(team_id, '')
);
CREATE INDEX grants_person ON grants (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX grants_team ON grants (team_id) WHERE team_id IS NOT NULL;
ALTER TABLE keys ADD COLUMN scope TEXT NOT NULL DEFAULT '{}';
ALTER TABLE keys ADD COLUMN login INTEGER NOT NULL DEFAULT 0;
CREATE TABLE device_logins (
    hash TEXT PRIMARY KEY, code TEXT NOT NULL UNIQUE, device TEXT NOT NULL, account TEXT NOT NULL, ip TEXT,
    created_at TEXT NOT NULL, expires_at TEXT NOT NULL, polled_at TEXT, wait INTEGER NOT NULL, status TEXT NOT NULL,
    person_id TEXT REFERENCES people ON DELETE CASCADE, key_name TEXT, key_expires_at TEXT, key_scope TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE sent_contents (
    person_id TEXT NOT NULL REFERENCES people ON DELETE CASCADE, sha256 TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (person_id, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX sent_contents_at ON sent_contents (at);
CREATE TABLE invitations (
    id TEXT PRIMARY KEY, email TEXT NOT NULL COLLATE NOCASE, role TEXT NOT NULL, hash TEXT NOT NULL UNIQUE,
    maker_id TEXT REFERENCES people ON DELETE CASCADE, joining INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL,
    created_by TEXT NOT NULL, expires_at TEXT NOT NULL, UNIQUE (email, joining)
) STRICT, WITHOUT ROWID;
CREATE TABLE invitation_grants (
    id INTEGER PRIMARY KEY, invitation_id TEXT NOT NULL REFERENCES invitations ON DELETE CASCADE,
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    environment_id INTEGER REFERENCES environments ON DELETE CASCADE, role TEXT NOT NULL
) STRICT;
CREATE INDEX invitation_grants_of ON invitation_grants (invitation_id);
"""

ACTIVITY = """
DROP TRIGGER activity_kept;
ALTER TABLE activity ADD COLUMN person TEXT;
ALTER TABLE activity ADD COLUMN key_id TEXT;
ALTER TABLE activity ADD COLUMN project_id INTEGER;
ALTER TABLE activity ADD COLUMN environment_id INTEGER;
ALTER TABLE activity ADD COLUMN hash TEXT NOT NULL DEFAULT '';
UPDATE activity SET person = CASE actor_kind WHEN 'person' THEN actor END,
    project_id = (SELECT p.id FROM projects p WHERE p.name = activity.project AND p.created_at <= activity.at),
    environment_id = (
        SELECT e.id FROM projects p JOIN environments e ON e.project_id = p.id
        WHERE p.name = activity.project AND e.name = activity.environment AND e.created_at <= activity.at
    );
CREATE INDEX activity_person ON activity (person, id);
CREATE INDEX activity_of_project ON activity (project_id, id) WHERE project_id IS NOT NULL;
CREATE INDEX activity_of_environment ON activity (environment_id, id) WHERE environment_id IS NOT NULL;
CREATE TRIGGER activity_kept BEFORE UPDATE ON activity WHEN OLD.hash <> ''
BEGIN SELECT RAISE(ABORT, 'activity is never edited'); END;
"""

SECRETS = """
CREATE TABLE old_keys (
    id TEXT PRIMARY KEY, purpose TEXT NOT NULL, sealed TEXT NOT NULL, retired_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

FACTORS = """
ALTER TABLE sessions ADD COLUMN seen_at TEXT;
ALTER TABLE sessions ADD COLUMN seen_from TEXT;
ALTER TABLE sessions ADD COLUMN confirmed_at TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN strong INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET confirmed_at = created_at;
CREATE TABLE totp (
    person_id TEXT PRIMARY KEY REFERENCES people ON DELETE CASCADE, secret TEXT NOT NULL, created_at TEXT NOT NULL,
    on_since TEXT, step INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE passkeys (
    id TEXT PRIMARY KEY, person_id TEXT NOT NULL REFERENCES people ON DELETE CASCADE, name TEXT NOT NULL,
    credential TEXT NOT NULL UNIQUE, public_key BLOB NOT NULL, counter INTEGER NOT NULL, created_at TEXT NOT NULL,
    used_at TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX passkeys_person ON passkeys (person_id);
CREATE TABLE recovery_codes (
    person_id TEXT NOT NULL REFERENCES people ON DELETE CASCADE, hash TEXT NOT NULL, PRIMARY KEY (person_id, hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE half_sessions (
    hash TEXT PRIMARY KEY, person_id TEXT NOT NULL REFERENCES people ON DELETE CASCADE, expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX half_sessions_person ON half_sessions (person_id);
CREATE TABLE used_challenges (hash TEXT PRIMARY KEY, expires_at TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""

SIGN_IN = """
CREATE TABLE mails (
    id TEXT PRIMARY KEY, recipient TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL, created_at TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE password_links (
    hash TEXT PRIMARY KEY, person_id TEXT NOT NULL REFERENCES people ON DELETE CASCADE, expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX password_links_person ON password_links (person_id);
CREATE TABLE providers (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, kind TEXT NOT NULL, issuer TEXT NOT NULL,
    client_id TEXT NOT NULL, secret TEXT NOT NULL, second_factor INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE identities (
    id TEXT PRIMARY KEY, provider_id TEXT NOT NULL REFERENCES providers ON DELETE CASCADE, subject TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES people ON DELETE CASCADE, email TEXT NOT NULL, created_at TEXT NOT NULL,
    used_at TEXT, UNIQUE (provider_id, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_person ON identities (person_id);
CREATE TABLE used_states (hash TEXT PRIMARY KEY, expires_at TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""

FAILURES = """
CREATE TABLE failures (subject TEXT PRIMARY KEY, times INTEGER NOT NULL, until REAL NOT NULL) STRICT, WITHOUT ROWID
"""

APPROVALS = """
ALTER TABLE environments ADD COLUMN approval TEXT;
CREATE TABLE approvals (
    deployment TEXT PRIMARY KEY REFERENCES deployments ON DELETE CASCADE, status TEXT NOT NULL,
    asked_by TEXT NOT NULL, expires_at TEXT NOT NULL, by TEXT, at TEXT, reason TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
"""

URL_FRONTS = """
ALTER TABLE urls ADD COLUMN main INTEGER NOT NULL DEFAULT 0;
ALTER TABLE urls ADD COLUMN front TEXT NOT NULL DEFAULT '{}';
"""

VARIABLES = """
CREATE TABLE variables (
    id TEXT PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
    environment_id INTEGER REFERENCES environments ON DELETE CASCADE, name TEXT NOT NULL, secret INTEGER NOT NULL,
    value TEXT NOT NULL, changed_at TEXT NOT NULL, changed_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX variables_place ON variables (project_id, coalesce(environment_id, 0), name);
CREATE INDEX variables_environment ON variables (environment_id) WHERE environment_id IS NOT NULL;
CREATE TABLE variable_sets (
    id TEXT PRIMARY KEY, environment_id INTEGER NOT NULL REFERENCES environments ON DELETE CASCADE, value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX variable_sets_environment ON variable_sets (environment_id, id);
ALTER TABLE deployments ADD COLUMN variables TEXT;
"""

CERTIFICATES = """
CREATE TABLE certificates (
    host TEXT PRIMARY KEY REFERENCES urls ON DELETE CASCADE, tls TEXT NOT NULL, redirect INTEGER NOT NULL,
    hsts INTEGER NOT NULL, status TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '', error TEXT,
    files TEXT NOT NULL DEFAULT '', issuer TEXT NOT NULL DEFAULT '', expires TEXT, renew_at TEXT,
    "order" TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL DEFAULT 0, asked_at TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX certificates_renewal ON certificates (renew_at) WHERE renew_at IS NOT NULL;
CREATE TABLE acme_accounts (
    directory TEXT PRIMARY KEY, account TEXT NOT NULL, private TEXT NOT NULL, created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

NOTIFICATIONS = """
CREATE TABLE channels (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL UNIQUE COLLATE NOCASE, address TEXT NOT NULL,
    events TEXT NOT NULL, everywhere INTEGER NOT NULL, created_at TEXT NOT NULL, created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE channel_projects (
    channel_id TEXT NOT NULL REFERENCES channels ON DELETE CASCADE,
    project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE, PRIMARY KEY (channel_id, project_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX channel_projects_project ON channel_projects (project_id);
CREATE TABLE channel_secrets (
    id TEXT PRIMARY KEY, channel_id TEXT NOT NULL REFERENCES channels ON DELETE CASCADE, part TEXT NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX channel_secrets_channel ON channel_secrets (channel_id);
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY, channel_id TEXT NOT NULL REFERENCES channels ON DELETE CASCADE, event TEXT NOT NULL,
    notice TEXT NOT NULL, status TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL,
    next_at TEXT, ended_at TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_channel ON deliveries (channel_id, id);
CREATE INDEX deliveries_due ON deliveries (channel_id, next_at) WHERE status = 'queued';
CREATE TABLE delivery_tries (
    id INTEGER PRIMARY KEY, delivery_id TEXT NOT NULL REFERENCES deliveries ON DELETE CASCADE, at TEXT NOT NULL,
    took REAL NOT NULL, succeeded INTEGER NOT NULL, status INTEGER, said TEXT NOT NULL
) STRICT;
CREATE INDEX delivery_tries_delivery ON delivery_tries (delivery_id, id);
"""

PROCESS_LOG = """
CREATE TABLE process_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, area TEXT NOT NULL, level TEXT NOT NULL,
    subject TEXT NOT NULL, project TEXT, text TEXT NOT NULL, todo TEXT NOT NULL
) STRICT;
CREATE INDEX process_log_at ON process_log (at);
"""
