import EMSCore
import GRDB

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// All tables and indexes, in one place. `PRAGMA user_version` counts the steps a file has taken.
enum Schema {
    /// "ems1" in the file's header, so that no other database is taken for ours.
    static let applicationID: Int32 = 0x656D_7331

    /// Each step as it was released; steps are added, never changed.
    static let steps: [String] = [first, second, third, fourth]

    /// A text in Unicode normalization form C; anything else as it is.
    static let normalization = DatabaseFunction("ems_nfc", argumentCount: 1, pure: true) { values in
        String.fromDatabaseValue(values[0]).map { $0.normalized } ?? values[0]
    }

    /// The version from which messages at the broker are signed.
    private static let signingVersion = 3

    /// The version from which changes are entries of the journal.
    private static let journalVersion = 4

    /// The tables of the newest version.
    private static let tables = [
        "row_counts", "users", "events", "event_tags", "event_texts", "event_places", "idempotency_keys", "journal", "journal_texts",
        "consumers", "consumer_letters", "subscriptions", "sessions", "refresh_tokens", "attempts", "stream", "notifications", "expansions",
        "inboxes", "everyone_reads", "inbox_entries", "login_accounts", "login_addresses", "broker_transition", "consumer_reports",
    ]

    /// Brings a file up to date. Safe with several processes at once: the first takes the steps, the others wait.
    static func migrate(_ connection: DatabaseQueue) throws {
        try connection.inDatabase { db in
            // Most often there is nothing to do, and one look tells.
            if try version(of: db) == steps.count { return }
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try db.inTransaction(.immediate) {
                let done = try version(of: db)
                for (index, step) in steps.enumerated().dropFirst(done) {
                    try db.execute(sql: step)
                    try db.execute(sql: "PRAGMA user_version = \(index + 1)")
                    FaultPoint.reached(.betweenMigrationSteps)
                }
                // With all columns: what the journal records is read as this version reads it.
                if done < journalVersion { try beginJournal(in: db) }
                FaultPoint.reached(.betweenMigrationSteps)
                if (1..<signingVersion).contains(done) {
                    let end = Timestamp.now().adding(seconds: MessageSigner.transitionSeconds)
                    try db.run("INSERT INTO broker_transition VALUES (?)", [end.milliseconds])
                }
                try db.execute(sql: "PRAGMA application_id = \(applicationID)")
                return .commit
            }
        }
    }

    /// Begins the journal with what there is, and with what was pending. What cannot be read of that becomes a dead letter: it was pending,
    /// and must not be lost.
    private static func beginJournal(in db: Database) throws {
        var pending: [Change] = []
        let changes = try Row.fetchCursor(db, sql: "SELECT id, body FROM pending_changes ORDER BY id")
        while let row = try changes.next() {
            let body = (try? Array(row.data(1))) ?? []
            if let id = try? row.id(0) as ChangeID, let change = try? Change(id: id, record: body), (try? change.event()) != nil {
                pending.append(change)
                continue
            }
            try db.run(
                """
                INSERT INTO consumer_letters (consumer, message_id, routing_key, body, attempts, reason, died_at)
                VALUES (?, ?, '', ?, 0, 'the pending change cannot be read', ?)
                """, [Consumer.inbox.name, (try? row.text(0)) ?? "", Data(body), Timestamp.now().milliseconds])
        }
        let now = Timestamp.now()
        let known = Set(pending.map(\.subject.id))
        // One that is damaged is named by whoever reads it.
        try appendAll("SELECT \(SQLiteUserStore.columns()) FROM users ORDER BY id", in: db) { row in
            (try? SQLiteUserStore.user(row)).map { .recorded($0, at: now) }
        }
        try appendAll("SELECT \(SQLiteEventStore.columns) FROM events e ORDER BY created_at, id", in: db) { row in
            guard let event = try? SQLiteEventStore.event(row), !known.contains(event.id.description) else { return nil }
            return .recorded(event, at: now)
        }
        try SQLiteConsumers.advance(.inbox, to: SQLiteJournal.lastPosition(in: db), in: db)
        try SQLiteJournal.append(pending, in: db)
        try db.execute(sql: "DROP TABLE pending_changes")
    }

    private static func appendAll(_ sql: String, in db: Database, _ change: (Row) -> Change?) throws {
        let rows = try Row.fetchCursor(db, sql: sql)
        var batch: [Change] = []
        while let row = try rows.next() {
            guard let change = change(row) else { continue }
            batch.append(change)
            if batch.count == 1000 {
                try SQLiteJournal.append(batch, in: db)
                batch = []
            }
        }
        try SQLiteJournal.append(batch, in: db)
    }

    /// How many steps the file has taken.
    /// - Throws: ``EMSError`` where the file is not ours, or knows more steps than we do.
    private static func version(of db: Database) throws -> Int {
        // One statement, so that all three are of one moment: another process may be taking the steps right now.
        let state = try Row.fetchOne(
            db,
            sql: """
                SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema),
                    (SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN (\(tables.map { "'\($0)'" }.joined(separator: ", "))))
                FROM pragma_user_version, pragma_application_id
                """)
        let version = Int(try state?.integer(0) ?? 0)
        if try state?.integer(1) ?? 0 != Int64(applicationID) {
            let isEmpty = try state?.integer(2) == 0
            guard isEmpty, version == 0 else {
                throw EMSError(.storeCorrupt, "the file is a database of another program", fix: "name another place with --data-dir")
            }
        }
        guard version >= 0 else {
            throw EMSError(
                .storeCorrupt, "the database says that its schema has version \(version)", fix: "restore a backup")
        }
        let objects = try state?.integer(2) ?? 0
        if version == 0, objects > 0 {
            throw EMSError(.storeCorrupt, "the database does not say which version its schema has", fix: "restore a backup")
        }
        if version == steps.count, try state?.integer(3) != Int64(tables.count) {
            throw EMSError(.storeCorrupt, "the database lacks tables", fix: "restore a backup")
        }
        guard version <= steps.count else {
            throw EMSError(
                .storeTooNew, "the database has schema version \(version); this program knows versions up to \(steps.count)",
                fix: "use the version of ems that made it, or a newer one")
        }
        return version
    }

    private static let first = """
        CREATE TABLE row_counts (
            dimension TEXT NOT NULL, value TEXT NOT NULL, n INTEGER NOT NULL,
            PRIMARY KEY (dimension, value)
        ) WITHOUT ROWID;

        CREATE TABLE users (
            id TEXT NOT NULL PRIMARY KEY,
            username TEXT NOT NULL, username_key TEXT NOT NULL,
            email TEXT NOT NULL, email_key TEXT NOT NULL,
            full_name TEXT,
            role TEXT NOT NULL, is_active INTEGER NOT NULL,
            password_hash TEXT NOT NULL,
            created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, last_login_at INTEGER
        ) WITHOUT ROWID;
        CREATE UNIQUE INDEX users_username ON users (username_key);
        CREATE UNIQUE INDEX users_email ON users (email_key);
        CREATE INDEX users_role ON users (role, id);
        CREATE INDEX users_active ON users (is_active, id);
        CREATE TRIGGER users_count_insert AFTER INSERT ON users BEGIN
            INSERT INTO row_counts VALUES ('users', '', 1), ('users.role', new.role, 1), ('users.active', new.is_active, 1)
                ON CONFLICT DO UPDATE SET n = n + 1;
        END;
        CREATE TRIGGER users_count_delete AFTER DELETE ON users BEGIN
            INSERT INTO row_counts VALUES ('users', '', -1), ('users.role', old.role, -1), ('users.active', old.is_active, -1)
                ON CONFLICT DO UPDATE SET n = n - 1;
        END;
        CREATE TRIGGER users_count_update AFTER UPDATE OF role, is_active ON users BEGIN
            INSERT INTO row_counts VALUES ('users.role', old.role, -1), ('users.active', old.is_active, -1)
                ON CONFLICT DO UPDATE SET n = n - 1;
            INSERT INTO row_counts VALUES ('users.role', new.role, 1), ('users.active', new.is_active, 1)
                ON CONFLICT DO UPDATE SET n = n + 1;
        END;

        CREATE TABLE events (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            title TEXT NOT NULL, description TEXT NOT NULL, location TEXT NOT NULL,
            tags TEXT NOT NULL, -- comma-separated, canonical
            start_time INTEGER NOT NULL, end_time INTEGER NOT NULL,
            created_by TEXT NOT NULL, max_attendees INTEGER,
            status TEXT NOT NULL, attachment_url TEXT, latitude REAL, longitude REAL,
            created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, version INTEGER NOT NULL
        );
        CREATE INDEX events_start ON events (start_time, id);
        CREATE INDEX events_created ON events (created_at, id);
        CREATE INDEX events_status_start ON events (status, start_time, id);
        CREATE INDEX events_status_created ON events (status, created_at, id);
        CREATE INDEX events_creator_start ON events (created_by, start_time, id);
        CREATE INDEX events_creator_created ON events (created_by, created_at, id);
        CREATE INDEX events_over ON events (end_time) WHERE status = 'scheduled';
        CREATE TRIGGER events_count_insert AFTER INSERT ON events BEGIN
            INSERT INTO row_counts VALUES ('events', '', 1), ('events.status', new.status, 1), ('events.creator', new.created_by, 1)
                ON CONFLICT DO UPDATE SET n = n + 1;
        END;
        CREATE TRIGGER events_count_delete AFTER DELETE ON events BEGIN
            INSERT INTO row_counts VALUES ('events', '', -1), ('events.status', old.status, -1), ('events.creator', old.created_by, -1)
                ON CONFLICT DO UPDATE SET n = n - 1;
        END;
        CREATE TRIGGER events_count_update AFTER UPDATE OF status ON events WHEN old.status <> new.status BEGIN
            INSERT INTO row_counts VALUES ('events.status', old.status, -1) ON CONFLICT DO UPDATE SET n = n - 1;
            INSERT INTO row_counts VALUES ('events.status', new.status, 1) ON CONFLICT DO UPDATE SET n = n + 1;
        END;

        CREATE TABLE event_tags (
            tag TEXT NOT NULL, start_time INTEGER NOT NULL, event_id TEXT NOT NULL, created_at INTEGER NOT NULL,
            PRIMARY KEY (tag, start_time, event_id)
        ) WITHOUT ROWID;
        CREATE INDEX event_tags_created ON event_tags (tag, created_at, event_id);
        CREATE INDEX event_tags_event ON event_tags (event_id);
        CREATE TRIGGER event_tags_count_insert AFTER INSERT ON event_tags BEGIN
            INSERT INTO row_counts VALUES ('events.tag', new.tag, 1) ON CONFLICT DO UPDATE SET n = n + 1;
        END;
        CREATE TRIGGER event_tags_count_delete AFTER DELETE ON event_tags BEGIN
            INSERT INTO row_counts VALUES ('events.tag', old.tag, -1) ON CONFLICT DO UPDATE SET n = n - 1;
            DELETE FROM row_counts WHERE dimension = 'events.tag' AND value = old.tag AND n <= 0;
        END;

        CREATE VIRTUAL TABLE event_texts USING fts5(
            title, description, location, tags,
            content = 'events', content_rowid = 'seq', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
        );
        CREATE TRIGGER events_text_insert AFTER INSERT ON events BEGIN
            INSERT INTO event_texts (rowid, title, description, location, tags)
                VALUES (new.seq, new.title, new.description, new.location, new.tags);
        END;
        CREATE TRIGGER events_text_delete AFTER DELETE ON events BEGIN
            INSERT INTO event_texts (event_texts, rowid, title, description, location, tags)
                VALUES ('delete', old.seq, old.title, old.description, old.location, old.tags);
        END;
        CREATE TRIGGER events_text_update AFTER UPDATE OF title, description, location, tags ON events BEGIN
            INSERT INTO event_texts (event_texts, rowid, title, description, location, tags)
                VALUES ('delete', old.seq, old.title, old.description, old.location, old.tags);
            INSERT INTO event_texts (rowid, title, description, location, tags)
                VALUES (new.seq, new.title, new.description, new.location, new.tags);
        END;

        CREATE VIRTUAL TABLE event_places USING rtree(seq, min_latitude, max_latitude, min_longitude, max_longitude);
        CREATE TRIGGER events_place_insert AFTER INSERT ON events WHEN new.latitude IS NOT NULL BEGIN
            INSERT INTO event_places VALUES (new.seq, new.latitude, new.latitude, new.longitude, new.longitude);
        END;
        CREATE TRIGGER events_place_delete AFTER DELETE ON events WHEN old.latitude IS NOT NULL BEGIN
            DELETE FROM event_places WHERE seq = old.seq;
        END;
        CREATE TRIGGER events_place_update AFTER UPDATE OF latitude, longitude ON events BEGIN
            DELETE FROM event_places WHERE seq = old.seq;
            INSERT INTO event_places SELECT new.seq, new.latitude, new.latitude, new.longitude, new.longitude
                WHERE new.latitude IS NOT NULL;
        END;

        CREATE TABLE idempotency_keys (
            owner TEXT NOT NULL, key TEXT NOT NULL, fingerprint BLOB NOT NULL, event_id TEXT NOT NULL, created_at INTEGER NOT NULL,
            PRIMARY KEY (owner, key)
        ) WITHOUT ROWID;
        CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

        CREATE TABLE pending_changes (
            id TEXT NOT NULL PRIMARY KEY, body BLOB NOT NULL, created_at INTEGER NOT NULL
        ) WITHOUT ROWID;

        CREATE TABLE subscriptions (
            user_id TEXT NOT NULL, event_id TEXT NOT NULL, created_at INTEGER NOT NULL,
            PRIMARY KEY (user_id, event_id)
        ) WITHOUT ROWID;
        CREATE INDEX subscriptions_event ON subscriptions (event_id, user_id);

        CREATE TABLE sessions (
            id TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL, label TEXT NOT NULL,
            created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, ended_at INTEGER
        ) WITHOUT ROWID;
        CREATE INDEX sessions_user ON sessions (user_id, id);
        CREATE INDEX sessions_live ON sessions (user_id) WHERE ended_at IS NULL;
        CREATE INDEX sessions_expiry ON sessions (expires_at);
        CREATE INDEX sessions_end ON sessions (ended_at) WHERE ended_at IS NOT NULL;
        CREATE TABLE refresh_tokens (
            digest BLOB NOT NULL PRIMARY KEY, session_id TEXT NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER
        ) WITHOUT ROWID;
        CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

        CREATE TABLE attempts (key TEXT NOT NULL, at INTEGER NOT NULL, expires_at INTEGER NOT NULL);
        CREATE INDEX attempts_key ON attempts (key, at);
        CREATE INDEX attempts_expiry ON attempts (expires_at);

        -- One row: the last position given out, how many notifications for everyone were ever recorded, and up to which of those they
        -- were purged.
        CREATE TABLE stream (
            id INTEGER PRIMARY KEY CHECK (id = 1), last_position INTEGER NOT NULL, everyone_count INTEGER NOT NULL,
            everyone_purged INTEGER NOT NULL
        );
        INSERT INTO stream VALUES (1, 0, 0, 0);
        CREATE TABLE notifications (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            event_id TEXT, event_title TEXT, event_action TEXT, message TEXT,
            actor TEXT NOT NULL, timestamp INTEGER NOT NULL, recorded_at INTEGER NOT NULL,
            is_for_everyone INTEGER NOT NULL,
            ordinal INTEGER -- counts those for everyone, without gaps, from 1
        );
        CREATE INDEX notifications_audience ON notifications (is_for_everyone, position);
        -- One row a user: from where everyone's notifications are the user's too, and up to where all is read.
        CREATE TABLE inboxes (
            user_id TEXT NOT NULL PRIMARY KEY,
            from_position INTEGER NOT NULL, from_ordinal INTEGER NOT NULL,
            read_position INTEGER NOT NULL, read_ordinal INTEGER NOT NULL,
            read_singly INTEGER NOT NULL, -- rows in everyone_reads
            unread_own INTEGER NOT NULL   -- unread rows in inbox_entries
        ) WITHOUT ROWID;
        -- What a user read of everyone's, beyond read_position.
        CREATE TABLE everyone_reads (
            user_id TEXT NOT NULL, position INTEGER NOT NULL,
            PRIMARY KEY (user_id, position)
        ) WITHOUT ROWID;
        CREATE INDEX everyone_reads_position ON everyone_reads (position, user_id);
        -- What is for some users only.
        CREATE TABLE inbox_entries (
            user_id TEXT NOT NULL, position INTEGER NOT NULL, is_read INTEGER NOT NULL,
            PRIMARY KEY (user_id, position)
        ) WITHOUT ROWID;
        CREATE INDEX inbox_entries_position ON inbox_entries (position, user_id);
        CREATE INDEX inbox_entries_unread ON inbox_entries (user_id, position) WHERE is_read = 0;

        CREATE TABLE broker_messages (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            message_id TEXT NOT NULL UNIQUE, routing_key TEXT NOT NULL, body BLOB NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            leased_until INTEGER NOT NULL DEFAULT 0
        );
        CREATE TABLE broker_dead_letters (
            seq INTEGER PRIMARY KEY,
            message_id TEXT NOT NULL, routing_key TEXT NOT NULL, body BLOB NOT NULL,
            attempts INTEGER NOT NULL, reason TEXT NOT NULL, died_at INTEGER NOT NULL
        );
        """

    private static let second = """
        ALTER TABLE events ADD COLUMN origin TEXT; -- JSON
        ALTER TABLE events ADD COLUMN import_key BLOB;
        CREATE UNIQUE INDEX events_import_key ON events (import_key) WHERE import_key IS NOT NULL;
        CREATE INDEX users_seen ON users (coalesce(last_login_at, created_at), id);
        """

    private static let third = """
        ALTER TABLE users ADD COLUMN is_verified INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE users ADD COLUMN credential_version INTEGER NOT NULL DEFAULT 0; -- counts what ends sessions
        ALTER TABLE refresh_tokens ADD COLUMN successor_nonce BLOB; -- what the next token is derived from

        -- Failed log-ins of an account (or of a name that nobody has) from addresses that it never logged in from.
        CREATE TABLE login_accounts (
            account TEXT NOT NULL PRIMARY KEY, failures INTEGER NOT NULL, last_failure_at INTEGER NOT NULL,
            last_address TEXT NOT NULL, locked_until INTEGER NOT NULL, expires_at INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX login_accounts_expiry ON login_accounts (expires_at);
        -- The addresses that an account logged in from.
        CREATE TABLE login_addresses (
            account TEXT NOT NULL, address TEXT NOT NULL, seen_at INTEGER NOT NULL,
            PRIMARY KEY (account, address)
        ) WITHOUT ROWID;
        CREATE INDEX login_addresses_age ON login_addresses (account, seen_at);

        -- Until when unsigned messages are accepted; no row where there never were any.
        CREATE TABLE broker_transition (unsigned_until INTEGER NOT NULL);
        -- Consumers that fail at present: a row for each process.
        CREATE TABLE consumer_reports (
            process TEXT NOT NULL PRIMARY KEY, unacknowledged INTEGER NOT NULL, failing_since INTEGER NOT NULL, failure TEXT NOT NULL,
            reported_at INTEGER NOT NULL
        ) WITHOUT ROWID;

        -- Tags in Unicode normalization form C, so that the same letters are the same bytes.
        INSERT OR IGNORE INTO event_tags (tag, start_time, event_id, created_at)
            SELECT ems_nfc(tag), start_time, event_id, created_at FROM event_tags WHERE tag <> ems_nfc(tag);
        DELETE FROM event_tags WHERE tag <> ems_nfc(tag);
        UPDATE OR IGNORE users SET email = ems_nfc(email), email_key = ems_nfc(email_key) WHERE email_key <> ems_nfc(email_key);
        UPDATE events SET tags = ems_nfc(tags) WHERE tags <> ems_nfc(tags);
        """

    private static let fourth = """
        ALTER TABLE users ADD COLUMN version INTEGER NOT NULL DEFAULT 1; -- counts the changes of the account
        ALTER TABLE notifications ADD COLUMN changes TEXT; -- the names of the changed fields, comma-separated
        -- The end of the stream when the subscription began: it is for what comes afterwards.
        ALTER TABLE subscriptions ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
        -- Notifications on their way into the inboxes of an event's subscribers. Those up to the cursor have it.
        CREATE TABLE expansions (
            position INTEGER PRIMARY KEY, event_id TEXT NOT NULL, cursor TEXT NOT NULL,
            ends_subscriptions_at INTEGER -- of those that began until then, where the event was deleted
        );
        CREATE INDEX expansions_event ON expansions (event_id, position);

        -- Every change, in one order without gaps. The entry is the canonical form of docs/journal.md, over which the hashes are chained; the
        -- other columns repeat what it is searched by.
        CREATE TABLE journal (
            position INTEGER PRIMARY KEY,
            change_id TEXT NOT NULL, subject_type TEXT NOT NULL, subject_id TEXT NOT NULL, action TEXT NOT NULL,
            version INTEGER NOT NULL, actor_id TEXT, timestamp INTEGER NOT NULL, entry BLOB NOT NULL, hash BLOB NOT NULL
        );
        CREATE UNIQUE INDEX journal_change ON journal (change_id);
        CREATE INDEX journal_subject ON journal (subject_id, position);
        CREATE INDEX journal_actor ON journal (actor_id, position);
        CREATE INDEX journal_time ON journal (timestamp, position);
        CREATE INDEX journal_action ON journal (action, position);
        CREATE INDEX journal_kind ON journal (subject_type, position);
        -- Names and addresses of persons, which entries refer to.
        CREATE TABLE journal_texts (
            reference TEXT NOT NULL PRIMARY KEY, person TEXT NOT NULL, value TEXT NOT NULL, salt BLOB NOT NULL
        ) WITHOUT ROWID;
        CREATE UNIQUE INDEX journal_texts_person ON journal_texts (person, value);

        -- Up to where each consumer has dealt with the journal.
        CREATE TABLE consumers (name TEXT NOT NULL PRIMARY KEY, position INTEGER NOT NULL, paused_at INTEGER) WITHOUT ROWID;
        INSERT INTO consumers VALUES ('inbox', 0, NULL);
        -- What a consumer could not deal with: to be tried again, or dead.
        CREATE TABLE consumer_letters (
            seq INTEGER PRIMARY KEY, consumer TEXT NOT NULL,
            position INTEGER, -- NULL for a message that an earlier version queued; its body is stored here
            message_id TEXT NOT NULL, routing_key TEXT NOT NULL, body BLOB, attempts INTEGER NOT NULL, reason TEXT NOT NULL,
            retry_at INTEGER, died_at INTEGER
        );
        CREATE UNIQUE INDEX consumer_letters_position ON consumer_letters (consumer, position) WHERE position IS NOT NULL;
        CREATE INDEX consumer_letters_retry ON consumer_letters (consumer, retry_at) WHERE retry_at IS NOT NULL;
        CREATE INDEX consumer_letters_dead ON consumer_letters (consumer, seq) WHERE died_at IS NOT NULL;
        INSERT INTO consumer_letters (consumer, message_id, routing_key, body, attempts, reason, retry_at)
            SELECT 'inbox', message_id, routing_key, body, attempts, 'queued by an earlier version', 0 FROM broker_messages ORDER BY seq;
        INSERT INTO consumer_letters (consumer, message_id, routing_key, body, attempts, reason, died_at)
            SELECT 'inbox', message_id, routing_key, body, attempts, reason, died_at FROM broker_dead_letters ORDER BY seq;
        DROP TABLE broker_messages;
        DROP TABLE broker_dead_letters;
        """
}
