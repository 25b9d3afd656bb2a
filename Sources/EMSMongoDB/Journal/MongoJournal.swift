import EMSCore

/// The journal's collection. Entries are at positions 1, 2, 3… without gaps, given out by nobody: whoever appends reads the last entry and
/// inserts the next ones in order; that a position is unique lets one writer win, and the others go on behind it.
///
/// An entry holds the hash of the one before it, which is stored by then, and which no failover takes back without taking back what was
/// written after it. Texts of persons are stored before the entries that refer to them.
enum MongoJournal {
    /// The last entry, as a process that appends remembers it.
    struct Head: Sendable {
        let position: Int64
        let hash: JournalHash

        static let start = Head(position: 0, hash: .start)
    }

    // MARK: Writing

    /// Appends those of the changes that are not in the journal yet, in their order.
    static func append(_ changes: [Change], in connection: MongoConnection) throws {
        for start in stride(from: 0, to: changes.count, by: batchSize) {
            try appendBatch(changes[start..<min(start + batchSize, changes.count)], in: connection)
        }
    }

    /// How many entries one write appends: the server takes 16 MiB in one command.
    private static let batchSize = 500

    private static func appendBatch(_ changes: ArraySlice<Change>, in connection: MongoConnection) throws {
        var rest = changes
        let references = try references(to: Set(changes.flatMap(\.personalTexts)), in: connection)
        var head = try head(in: connection)
        while !rest.isEmpty {
            var hash = head.hash
            let documents = rest.enumerated().map { offset, change in
                let position = head.position + Int64(offset) + 1
                let sealed = SealedChange(change, at: position, references: references)
                hash = hash.followed(by: sealed.canonical)
                return document(StoredEntry(position: position, sealed: sealed, hash: hash.bytes, keys: JournalKeys(change)))
            }
            do {
                return try connection.insert(.journal, documents)
            } catch let refused as DuplicateKey {
                // Those before the refused one are stored. Either another writer took its position, or the change is there already.
                rest = rest.dropFirst(refused.first)
                let known = try known(rest.map(\.id), in: connection)
                rest = rest.filter { !known.contains($0.id) }[...]
                head = try self.head(in: connection)
            }
        }
    }

    /// As ``append(_:in:)``, for changes of which most are in the journal already.
    static func appendMissing(_ changes: [Change], in connection: MongoConnection) throws {
        let known = try known(changes.map(\.id), in: connection)
        try append(changes.filter { !known.contains($0.id) }, in: connection)
    }

    static func document(_ entry: StoredEntry) -> BSONDocument {
        let keys = entry.keys
        return BSONDocument {
            $0.member("_id", entry.position)
            $0.member("change_id", keys.changeID)
            $0.member("subject_type", keys.kind)
            $0.member("subject_id", keys.subject)
            $0.member("action", keys.action)
            $0.member("version", keys.version)
            $0.optional("actor_id", keys.actor)
            $0.member("timestamp", keys.timestamp)
            $0.member("entry", entry.sealed.canonical.text)
            $0.member("hash", binary: entry.hash)
        }
    }

    /// Which of the changes have an entry.
    static func known(_ ids: [ChangeID], in connection: MongoConnection) throws -> Set<ChangeID> {
        if ids.isEmpty { return [] }
        return Set(
            try connection.find(
                .journal, where: { $0.document("change_id") { $0.array("$in", ids.lazy.map(\.description)) } },
                options: {
                    $0.document("projection") {
                        $0.member("_id", 0)
                        $0.member("change_id", 1)
                    }
                    $0.member("hint", "journal_change")
                }
            ) { try $0.id("change_id") })
    }

    /// The references to texts of persons, which are stored if they are new; of a person who was erased, to nothing.
    private static func references(to texts: Set<PersonalText>, in connection: MongoConnection) throws -> [PersonalText: String] {
        var found = try found(texts, in: connection)
        let unused = found.filter(\.isUnused)
        if !unused.isEmpty {
            try keep(unused.map(\.reference), in: connection)
            // A text that was removed in between is stored again.
            found = try Self.found(texts, in: connection)
        }
        var references = Dictionary(found.map { ($0.text, $0.reference) }) { $1 }
        var new = texts.filter { references[$0] == nil }
        if new.isEmpty { return references }
        let erased = try erased(Set(new.map(\.person)), in: connection)
        for text in new where erased.contains(text.person) { references[text] = text.reference(salt: PersonalText.makeSalt()) }
        new = new.filter { !erased.contains($0.person) }
        if new.isEmpty { return references }
        try connection.insertMissing(
            .journalTexts,
            new.map { text in
                let salt = PersonalText.makeSalt()
                return document(text, as: text.reference(salt: salt), salt: salt)
            })
        // Another process may have stored one of them, with a salt of its own, in the meantime.
        references.merge(try stored(new, in: connection)) { $1 }
        return references
    }

    static func document(_ text: PersonalText, as reference: String, salt: [UInt8]) -> BSONDocument {
        BSONDocument {
            $0.member("_id", reference)
            $0.member("person", text.person)
            $0.member("value", text.value)
            $0.member("salt", binary: salt)
        }
    }

    static func stored(_ texts: Set<PersonalText>, in connection: MongoConnection) throws -> [PersonalText: String] {
        Dictionary(try found(texts, in: connection).map { ($0.text, $0.reference) }) { $1 }
    }

    private static func found(
        _ texts: Set<PersonalText>, in connection: MongoConnection
    ) throws -> [(text: PersonalText, reference: String, isUnused: Bool)] {
        if texts.isEmpty { return [] }
        return try connection.find(
            .journalTexts,
            where: { filter in
                filter.array("$or") { list in
                    for text in texts {
                        list.document {
                            $0.member("person", text.person)
                            $0.member("value", text.value)
                        }
                    }
                }
            }
        ) { reader in
            let reference = try reader.text("_id")
            let text = PersonalText(person: try reader.text("person"), value: try reader.text("value"))
            return (text, reference, isUnused: try reader.find("unused_since") != nil)
        }
    }

    /// Takes the names and addresses of a person out of the journal, for good: what is still to be entered does not bring them back.
    static func erase(_ person: String, in connection: MongoConnection) throws {
        try connection.insertMissing(
            .journalTexts,
            [
                BSONDocument {
                    $0.member("_id", erasedMark + person)
                    $0.member("person", erasedMark + person)
                    $0.member("value", "")
                    $0.member("salt", binary: [])
                }
            ])
        try connection.deleteMany(.journalTexts) { $0.member("person", person) }
    }

    // MARK: Texts that no entry refers to

    /// So long a process takes at most from choosing a text to storing the entry that refers to it. The time limits of its writes are much
    /// shorter.
    private static let unusedSeconds: Int64 = 3600

    static func unusedTexts(in connection: MongoConnection) throws -> Set<String> {
        Set(
            try connection.find(
                .journalTexts, where: { $0.document("unused_since") { $0.member("$exists", true) } },
                options: { options in
                    options.member("hint", "journal_texts_unused")
                    options.document("projection") { $0.member("_id", 1) }
                }
            ) { try $0.text("_id") })
    }

    /// Marks those that were used until now, and removes those that were marked long ago.
    static func removeTexts(_ references: Set<String>, at now: Timestamp, in connection: MongoConnection) throws {
        let references = Array(references)
        for start in stride(from: 0, to: references.count, by: batchSize) {
            let batch = references[start..<min(start + batchSize, references.count)]
            try connection.deleteMany(.journalTexts) { filter in
                filter.document("_id") { $0.array("$in", batch) }
                filter.document("unused_since") { $0.member("$lt", now.adding(seconds: -unusedSeconds)) }
            }
            try connection.updateMany(
                .journalTexts,
                where: { filter in
                    filter.document("_id") { $0.array("$in", batch) }
                    filter.null("unused_since")
                }, { update in update.document("$set") { $0.member("unused_since", now) } })
        }
    }

    /// An entry is about to refer to them.
    private static func keep(_ references: [String], in connection: MongoConnection) throws {
        try connection.updateMany(
            .journalTexts, where: { $0.document("_id") { $0.array("$in", references) } },
            { update in update.document("$unset") { $0.member("unused_since", "") } })
    }

    // MARK: Erasing

    /// What the marks of those who were erased begin with.
    private static let erasedMark = PersonalText.erasedMark

    private static func erased(_ persons: Set<String>, in connection: MongoConnection) throws -> Set<String> {
        let marks = persons.filter { !$0.isEmpty }.map { erasedMark + $0 }
        if marks.isEmpty { return [] }
        let found = try connection.find(.journalTexts, where: { $0.document("_id") { $0.array("$in", marks) } }) { try $0.text("_id") }
        return Set(found.map { String($0.dropFirst(erasedMark.count)) })
    }

    // MARK: Publishing

    /// Entries whose changes are in no document any more, and not published yet. The mark is no part of the entry.
    static func unpublished(limit: Int, in connection: MongoConnection) throws -> [Change] {
        let found = try connection.find(.journal, where: isUnpublished, options: { inOrder(&$0, limit: limit) }, entry)
        return try changes(found, in: connection).compactMap { change in
            // Everything of it is read here, so that it can be published.
            change?.isReadable == true ? change : nil
        }
    }

    static func firstUnpublished(in connection: MongoConnection) throws -> Int64? {
        try connection.find(.journal, where: isUnpublished, options: { inOrder(&$0, limit: 1) }) { try $0.counter("_id") }.first
    }

    static func unpublishedStatus(in connection: MongoConnection) throws -> PendingStatus {
        let moments = try connection.find(
            .journal, where: isUnpublished,
            options: { options in
                inOrder(&options, limit: PageRequest.countLimit)
                options.document("projection") { $0.member("timestamp", 1) }
            }
        ) { try $0.date("timestamp") }
        return PendingStatus(count: moments.count, oldest: moments.first)
    }

    static func markUnpublished(_ ids: [ChangeID], in connection: MongoConnection) throws {
        if ids.isEmpty { return }
        try connection.updateMany(
            .journal, where: { $0.document("change_id") { $0.array("$in", ids.lazy.map(\.description)) } },
            { $0.document("$set") { $0.member("unpublished", true) } })
    }

    static func markPublished(_ ids: [ChangeID], in connection: MongoConnection) throws {
        try connection.updateMany(
            .journal,
            where: {
                isUnpublished(&$0)
                $0.document("change_id") { $0.array("$in", ids.lazy.map(\.description)) }
            }, { $0.document("$unset") { $0.member("unpublished", "") } })
    }

    private static func isUnpublished(_ writer: inout BSONWriter) { writer.member("unpublished", true) }

    private static func inOrder(_ options: inout BSONWriter, limit: Int) {
        options.document("sort") { $0.member("_id", 1) }
        options.member("limit", limit)
        options.member("hint", "journal_unpublished")
    }

    // MARK: Reading

    /// An entry as it is stored.
    struct Entry: Sendable {
        let position: Int64
        let sealed: SealedChange
        let hash: JournalHash
    }

    /// Entries as they are stored, also those that are damaged.
    static func stored(after position: Int64, limit: Int, in connection: MongoConnection) throws -> [StoredEntry] {
        try connection.find(
            .journal, where: { $0.document("_id") { $0.member("$gt", position) } },
            options: {
                $0.document("sort") { $0.member("_id", 1) }
                $0.member("limit", limit)
            }
        ) { reader in
            let position = try reader.integer("_id")
            let keys = JournalKeys(
                changeID: try reader.text("change_id"), kind: try reader.text("subject_type"), subject: try reader.text("subject_id"),
                action: try reader.text("action"), version: try reader.integer("version"), actor: try reader.optionalText("actor_id"),
                timestamp: try reader.date("timestamp"))
            return StoredEntry(
                position: position, sealed: SealedChange(canonical: Array(try reader.text("entry").utf8)), hash: try reader.binary("hash"),
                keys: keys)
        }
    }

    static func entry(_ reader: inout BSONReader) throws -> Entry {
        Entry(
            position: try reader.counter("_id"), sealed: SealedChange(canonical: Array(try reader.text("entry").utf8)),
            hash: try JournalHash(reader.binary("hash")))
    }

    /// The changes of entries, with the texts of persons in them; `nil` for one that is damaged.
    static func changes(_ entries: [Entry], in connection: MongoConnection) throws -> [Change?] {
        let texts = try texts(Set(entries.flatMap(\.sealed.references)), in: connection)
        return entries.map { entry in try? entry.sealed.change(at: entry.position) { texts[$0] } }
    }

    static func head(in connection: MongoConnection) throws -> Head {
        try connection.first(
            .journal,
            options: {
                $0.document("sort") { $0.member("_id", -1) }
                $0.document("projection") { $0.member("hash", 1) }
            }
        ) { Head(position: try $0.counter("_id"), hash: try JournalHash($0.binary("hash"))) } ?? .start
    }

    /// The texts that references stand for, those that were erased left out.
    static func texts(_ references: Set<String>, in connection: MongoConnection) throws -> [String: String] {
        if references.isEmpty { return [:] }
        let found = try connection.find(.journalTexts, where: { $0.document("_id") { $0.array("$in", references) } }) {
            (try $0.text("_id"), try $0.text("value"))
        }
        return Dictionary(found) { $1 }
    }
}
