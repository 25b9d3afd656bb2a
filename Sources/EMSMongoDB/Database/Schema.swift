import EMSCore

/// All indexes, in one place. What a query looks for, what it is ordered by and what must be unique stands here.
enum Schema {
    /// Counts the releases that changed something here.
    static let version = 5
    /// The version from which changes are entries of the journal.
    private static let journalVersion = 5

    struct Index: Sendable {
        let collection: Collection
        let name: String
        let keys: [(field: String, order: Order)]
        var isUnique = false
        /// Leaves out documents without the field.
        var isSparse = false
        /// Holds only the documents that match.
        var partial: (@Sendable (inout BSONWriter) -> Void)?
        /// Removes documents when the date in the field has come.
        var expires = false

        enum Order: Sendable {
            case ascending
            case sphere
        }

        init(
            _ collection: Collection, _ name: String, _ fields: [String], unique: Bool = false, sparse: Bool = false,
            partial: (@Sendable (inout BSONWriter) -> Void)? = nil, expires: Bool = false
        ) {
            self.collection = collection
            self.name = name
            keys = fields.map { ($0, .ascending) }
            isUnique = unique
            isSparse = sparse
            self.partial = partial
            self.expires = expires
        }

        init(_ collection: Collection, _ name: String, sphere field: String) {
            self.collection = collection
            self.name = name
            keys = [(field, .sphere)]
        }

        func encode(to writer: inout BSONWriter) {
            writer.document("key") { keys in
                for (field, order) in self.keys {
                    switch order {
                    case .ascending: keys.member(field, 1)
                    case .sphere: keys.member(field, "2dsphere")
                    }
                }
            }
            writer.member("name", name)
            if isUnique { writer.member("unique", true) }
            if isSparse { writer.member("sparse", true) }
            if let partial { writer.document("partialFilterExpression", partial) }
            if expires { writer.member("expireAfterSeconds", 0) }
        }
    }

    static let indexes: [Index] = [
        Index(.users, "users_username", ["username_key"], unique: true),
        Index(.users, "users_email", ["email_key"], unique: true),
        Index(.users, "users_role", ["role", "_id"]),
        Index(.users, "users_active", ["is_active", "_id"]),
        Index(.users, "users_seen", ["seen_at", "_id"]),
        Index(.users, "users_pending", ["pending_since"], sparse: true),
        Index(.users, "users_tombstones", ["is_deleted"], sparse: true),

        Index(.sessions, "sessions_user", ["user_id", "_id"]),
        Index(.sessions, "sessions_expiry", ["expires_at"]),
        Index(.sessions, "sessions_end", ["ended_at"], sparse: true),
        Index(.sessions, "sessions_pending", ["pending_since"], sparse: true),
        Index(.refreshTokens, "refresh_tokens_session", ["session_id"]),

        Index(.events, "events_start", ["start_time", "_id"]),
        Index(.events, "events_created", ["created_at", "_id"]),
        Index(.events, "events_tag_start", ["tags", "start_time", "_id"]),
        Index(.events, "events_tag_created", ["tags", "created_at", "_id"]),
        Index(.events, "events_status_start", ["status", "start_time", "_id"]),
        Index(.events, "events_status_created", ["status", "created_at", "_id"]),
        Index(.events, "events_creator_start", ["created_by", "start_time", "_id"]),
        Index(.events, "events_creator_created", ["created_by", "created_at", "_id"]),
        Index(.events, "events_over", ["end_time"], partial: { $0.member("status", Event.Status.scheduled.rawValue) }),
        Index(.events, "events_words", ["words"]),
        Index(.events, "events_location_words", ["location_words"]),
        Index(.events, "events_place", sphere: "place"),
        Index(.events, "events_pending", ["pending_since"], sparse: true),
        Index(
            .events, "events_import_key", ["import_key"], unique: true,
            partial: { $0.document("import_key") { $0.member("$exists", true) } }),
        Index(.events, "events_tombstones", ["is_deleted"], sparse: true),
        Index(
            .events, "events_idempotency", ["idempotency.owner", "idempotency.key"], unique: true,
            partial: { $0.document("idempotency.key") { $0.member("$exists", true) } }),
        Index(.events, "events_idempotency_age", ["idempotency.created_at"], sparse: true),

        Index(.journal, "journal_change", ["change_id"], unique: true),
        Index(.journal, "journal_subject", ["subject_id", "_id"]),
        Index(.journal, "journal_actor", ["actor_id", "_id"]),
        Index(.journal, "journal_action", ["action", "_id"]),
        Index(.journal, "journal_kind", ["subject_type", "_id"]),
        Index(.journal, "journal_time", ["timestamp", "_id"]),
        Index(.journal, "journal_unpublished", ["unpublished", "_id"], partial: { $0.member("unpublished", true) }),
        Index(.journalTexts, "journal_texts_person", ["person", "value"], unique: true),
        Index(.journalTexts, "journal_texts_unused", ["unused_since"], sparse: true),

        Index(.subscriptions, "subscriptions_event", ["_id.event_id", "_id.user_id"]),
        Index(.subscriptions, "subscriptions_pending", ["pending_since"], sparse: true),
        Index(.subscriptions, "subscriptions_tombstones", ["is_ended"], sparse: true),

        Index(.notifications, "notifications_id", ["id"], unique: true, partial: { $0.document("id") { $0.member("$exists", true) } }),
        Index(.notifications, "notifications_everyone", ["is_for_everyone", "_id"]),
        Index(.notifications, "notifications_incomplete", ["incomplete"], sparse: true),
        Index(.notifications, "notifications_floor", ["floor"], sparse: true),
        Index(.inboxEntries, "inbox_entries_position", ["_id.position", "_id.user_id"]),
        Index(.inboxReads, "inbox_reads_position", ["_id.position"]),

        Index(.rateLimits, "rate_limits_expiry", ["expires_at"], expires: true),
        Index(.logins, "logins_expiry", ["expires_at"], expires: true),
    ]

    // MARK: Looking and making

    /// The version the database has; 0 where it has none yet.
    static func version(in connection: MongoConnection) throws -> Int {
        try connection.first(.meta, where: { $0.member("_id", "schema") }) { Int(try $0.integer("version")) } ?? 0
    }

    /// See ``ConsumerStore/unsignedMessagesEnd()``.
    static func unsignedMessagesEnd(in connection: MongoConnection) throws -> Timestamp? {
        try connection.first(.meta, where: { $0.member("_id", "schema") }) { try $0.optionalDate("unsigned_until") } ?? nil
    }

    /// The declared indexes that the database does not have.
    static func missing(in connection: MongoConnection) throws -> [Index] {
        var missing: [Index] = []
        for collection in Collection.allCases {
            let names = try existing(in: collection, connection)
            missing += indexes.filter { $0.collection == collection && !names.contains($0.name) }
        }
        return missing
    }

    private static func existing(in collection: Collection, _ connection: MongoConnection) throws -> Set<String> {
        // A collection has 64 indexes at most: they come in one batch.
        let names = try connection.aggregate(collection) { stages in
            stages.document { $0.document("$indexStats") { _ in } }
        } _: {
            try $0.text("name")
        }
        return Set(names)
    }

    /// Makes what is missing. Safe with several processes at once: making an index that is there already does nothing.
    static func migrate(_ connection: MongoConnection) throws {
        for (collection, indexes) in Dictionary(grouping: indexes, by: \.collection) {
            try connection.command {
                $0.member("createIndexes", collection.rawValue)
                $0.array("indexes") { list in
                    for index in indexes { list.document(index.encode) }
                }
            } reading: { _ in
            }
            FaultPoint.reached(.betweenMigrationSteps)
        }
        // Version 2: what earlier versions did not write.
        try connection.updateManyByPipeline(.users, where: { $0.null("seen_at") }) { stages in
            stages.document { stage in
                stage.document("$set") { set in
                    set.document("seen_at") { value in
                        value.array("$ifNull") {
                            $0.element("$last_login_at")
                            $0.element("$created_at")
                        }
                    }
                }
            }
        }
        FaultPoint.reached(.betweenMigrationSteps)
        try normalizeTags(connection)
        try normalizeEmails(connection)
        FaultPoint.reached(.betweenMigrationSteps)
        if try version(in: connection) < journalVersion { try beginJournal(connection) }
        // Version 3 signs messages: for a while, those of earlier versions are accepted.
        try connection.updateOne(
            .meta,
            where: {
                $0.member("_id", "schema")
                $0.document("version") { $0.member("$lt", 3) }
            },
            { update in
                update.document("$set") { $0.member("unsigned_until", Timestamp.now().adding(seconds: MessageSigner.transitionSeconds)) }
            })
        FaultPoint.reached(.betweenMigrationSteps)
        try connection.updateOne(
            .meta, where: { $0.member("_id", "schema") }, { $0.document("$max") { $0.member("version", version) } },
            options: { $0.member("upsert", true) })
    }

    /// Version 3: tags in Unicode normalization form C, so that the same letters are the same bytes. An event that is changed
    /// meanwhile is found again by the next run, or was written by a version that normalizes.
    private static func normalizeTags(_ connection: MongoConnection) throws {
        var after = ""
        while true {
            let found = try connection.find(
                .events,
                where: {
                    $0.document("_id") { $0.member("$gt", after) }
                    $0.document("tags") { $0.member("$regex", "[^\\x00-\\x7F]") }
                },
                options: {
                    $0.document("sort") { $0.member("_id", 1) }
                    $0.document("projection") { $0.member("tags", 1) }
                    $0.member("limit", 1000)
                }
            ) { (id: try $0.text("_id"), tags: try $0.array("tags") { $0.text }) }
            for event in found {
                var seen: Set<String> = []
                let normalized = event.tags.map(\.normalized).filter { seen.insert($0).inserted }
                // Compared byte by byte: to Swift, both forms are equal.
                if normalized.map({ Array($0.utf8) }) == event.tags.map({ Array($0.utf8) }) { continue }
                try connection.updateOne(
                    .events,
                    where: {
                        $0.member("_id", event.id)
                        $0.array("tags", event.tags)
                    }, { $0.document("$set") { $0.array("tags", normalized) } })
            }
            guard let last = found.last, found.count == 1000 else { return }
            after = last.id
        }
    }

    /// Version 3: emails in Unicode normalization form C. One that is another user's in that form stays as it is.
    private static func normalizeEmails(_ connection: MongoConnection) throws {
        let found = try connection.find(.users, where: { $0.document("email_key") { $0.member("$regex", "[^\\x00-\\x7F]") } }) {
            (id: try $0.text("_id"), email: try $0.text("email"), key: try $0.text("email_key"))
        }
        for user in found {
            let key = UserRules.caseFolded(user.email)
            if Array(key.utf8) == Array(user.key.utf8) { continue }
            do {
                try connection.updateOne(
                    .users,
                    where: {
                        $0.member("_id", user.id)
                        $0.member("email", user.email)
                    },
                    { update in
                        update.document("$set") {
                            $0.member("email", user.email.normalized)
                            $0.member("email_key", key)
                        }
                    })
            } catch is DuplicateKey {
                continue
            }
        }
    }

    /// Version 5: the journal begins with the users and events that there are. One of which changes are pending begins with those. A run that
    /// was ended goes on with the next: what is in the journal is passed over.
    private static func beginJournal(_ connection: MongoConnection) throws {
        let now = Timestamp.now()
        // One that is damaged is named by whoever reads it.
        try appendAll(.users, connection) { reader in try? MongoUserStore.living(&reader).map { .recorded($0, at: now) } }
        FaultPoint.reached(.betweenMigrationSteps)
        try appendAll(.events, connection) { reader in try? EventDocument.living(&reader).map { .recorded($0, at: now) } }
        FaultPoint.reached(.betweenMigrationSteps)
    }

    private static func appendAll(
        _ collection: Collection, _ connection: MongoConnection, _ change: (inout BSONReader) -> Change?
    ) throws {
        var after = ""
        while true {
            var last: String?
            let changes = try connection.find(
                collection, where: { $0.document("_id") { $0.member("$gt", after) } },
                options: {
                    $0.document("sort") { $0.member("_id", 1) }
                    $0.member("limit", 1000)
                }
            ) { reader -> Change? in
                last = try reader.text("_id")
                return try reader.find("pending") == nil ? change(&reader) : nil
            }
            let known = Set(
                try connection.find(
                    .journal, where: { $0.document("subject_id") { $0.array("$in", changes.lazy.map(\.subject.id)) } },
                    options: { $0.document("projection") { $0.member("subject_id", 1) } }
                ) { try $0.text("subject_id") })
            try MongoJournal.append(changes.filter { !known.contains($0.subject.id) }, in: connection)
            guard let last else { return }
            after = last
        }
    }

    /// - Throws: ``EMSError`` where the database was made by a newer version.
    static func refuseNewer(_ found: Int) throws {
        guard found > version else { return }
        throw EMSError(
            .storeTooNew, "the database has schema version \(found); this program knows versions up to \(version)",
            fix: "use the version of ems that made it, or a newer one")
    }
}
