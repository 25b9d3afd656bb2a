import EMSCore
import GRDB

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The journal's table. An entry is written by the transaction that writes the state it is about; it is what consumers read, and is never
/// altered.
enum SQLiteJournal {
    // MARK: Writing

    static func append(_ change: Change, in db: Database) throws {
        try append([change], in: db)
    }

    static func append(_ changes: [Change], in db: Database) throws {
        guard !changes.isEmpty else { return }
        var (position, hash) = try head(in: db)
        var references: [PersonalText: String] = [:]
        for change in changes {
            for text in change.personalTexts where references[text] == nil { references[text] = try reference(to: text, in: db) }
            position += 1
            let sealed = SealedChange(change, at: position, references: references)
            hash = hash.followed(by: sealed.canonical)
            try insert(StoredEntry(position: position, sealed: sealed, hash: hash.bytes, keys: JournalKeys(change)), in: db)
        }
    }

    static func insert(_ entry: StoredEntry, in db: Database) throws {
        let keys = entry.keys
        try db.run(
            """
            INSERT INTO journal (position, change_id, subject_type, subject_id, action, version, actor_id, timestamp, entry, hash)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                entry.position, keys.changeID, keys.kind, keys.subject, keys.action, keys.version, keys.actor, keys.timestamp.milliseconds,
                Data(entry.sealed.canonical.bytes), Data(entry.hash),
            ])
    }

    /// The reference to a text of a person, which is stored if it is new.
    private static func reference(to text: PersonalText, in db: Database) throws -> String {
        if let known = try knownReference(to: text, in: db) { return known }
        let salt = PersonalText.makeSalt()
        let reference = text.reference(salt: salt)
        // Of a person who was erased, a reference to nothing.
        let isErased = try db.first(
            "SELECT 1 FROM journal_texts WHERE reference = ?", [PersonalText.erasedMark + text.person]
        ) { _ in true }
        if isErased != nil { return reference }
        try insert(text, as: reference, salt: salt, in: db)
        return reference
    }

    static func insert(_ text: PersonalText, as reference: String, salt: [UInt8], in db: Database) throws {
        try db.run(
            "INSERT INTO journal_texts (reference, person, value, salt) VALUES (?, ?, ?, ?)",
            [reference, text.person, text.value, Data(salt)])
    }

    static func knownReference(to text: PersonalText, in db: Database) throws -> String? {
        try db.first("SELECT reference FROM journal_texts WHERE person = ? AND value = ?", [text.person, text.value]) { try $0.text(0) }
    }

    /// Takes the names and addresses of a person out of the journal, for good: what is written later does not bring them back.
    static func erase(_ person: String, in db: Database) throws {
        try db.run("DELETE FROM journal_texts WHERE person = ?", [person])
        let mark = PersonalText.erasedMark + person
        try db.run("INSERT OR IGNORE INTO journal_texts (reference, person, value, salt) VALUES (?, ?, '', x'')", [mark, mark])
    }

    // MARK: Reading

    /// The last position and its hash.
    static func head(in db: Database) throws -> (position: Int64, hash: JournalHash) {
        let last = try db.first("SELECT position, hash FROM journal ORDER BY position DESC LIMIT 1") {
            (try $0.counter(0), try JournalHash(Array($0.data(1))))
        }
        return last ?? (0, .start)
    }

    static func lastPosition(in db: Database) throws -> Int64 {
        try db.first("SELECT position FROM journal ORDER BY position DESC LIMIT 1") { try $0.counter(0) } ?? 0
    }

    /// The entries after a position that a consumer gets, as they are stored: `position`, `change_id`, `entry` and the routing key.
    static func tail<Value>(
        of consumer: Consumer, after position: Int64, limit: Int, in db: Database, _ convert: (Row) throws -> Value
    ) throws -> [Value] {
        // Along the index, a list for each kind of subject; most often there is one.
        let lists = try consumer.subjects.flatMap { subject in
            try db.all(tail, [subject.rawValue, position, limit]) { (position: try $0.counter(0), value: try convert($0)) }
        }
        if consumer.subjects.count == 1 { return lists.map(\.value) }
        return lists.sorted { $0.position < $1.position }.prefix(limit).map(\.value)
    }

    static let tail = """
        SELECT position, change_id, entry, subject_type || '.' || action FROM journal
        WHERE subject_type = ? AND position > ? ORDER BY position LIMIT ?
        """

    static func stored(after position: Int64, limit: Int, in db: Database) throws -> [StoredEntry] {
        try db.all(
            """
            SELECT position, change_id, subject_type, subject_id, action, version, actor_id, timestamp, entry, hash
            FROM journal WHERE position > ? ORDER BY position LIMIT ?
            """, [position, limit]
        ) { row in
            StoredEntry(
                position: try row.integer(0), sealed: SealedChange(canonical: Array(try row.data(8))), hash: Array(try row.data(9)),
                keys: JournalKeys(
                    changeID: try row.text(1), kind: try row.text(2), subject: try row.text(3), action: try row.text(4),
                    version: try row.integer(5), actor: try row.optionalText(6), timestamp: try row.timestamp(7)))
        }
    }

    /// What is stored as an entry, with the texts of persons in it.
    static func change(_ canonical: [UInt8], at position: Int64, in db: Database) throws -> Change {
        try SealedChange(canonical: canonical).change(at: position) { try text(of: $0, in: db) }
    }

    /// The texts of persons that entries refer to, by their references.
    static func texts(in entries: some Sequence<[UInt8]>, in db: Database) throws -> [String: String] {
        var (texts, missing): ([String: String], Set<String>) = ([:], [])
        for entry in entries {
            for reference in SealedChange(canonical: entry).possibleReferences
            where texts[reference] == nil && missing.insert(reference).inserted {
                texts[reference] = try text(of: reference, in: db)
            }
        }
        return texts
    }

    /// - Returns: `nil` if it was erased.
    private static func text(of reference: String, in db: Database) throws -> String? {
        try db.first("SELECT value FROM journal_texts WHERE reference = ?", [reference]) { try $0.text(0) }
    }
}
