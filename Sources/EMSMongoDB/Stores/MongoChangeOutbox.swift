import EMSCore

/// The pending changes, which lie in the documents of their events.
struct MongoChangeOutbox: ChangeOutbox {
    let database: MongoDatabase

    func pendingChanges(limit: Int) async throws -> [Change] {
        try await database.run { connection in
            // The documents come in the order of their oldest change; so the oldest changes of all are within the first ones.
            let found = try connection.find(.events, where: Self.isPending, options: { Self.oldestFirst(&$0, limit: limit) }) {
                try $0.array("pending") { element -> Change?? in
                    guard var change = try? element.nested() else { return .some(nil) }
                    return .some(try? EventDocument.change(&change))
                }
            }
            return Array(found.joined().compactMap(\.self).sorted { $0.id < $1.id }.prefix(limit))
        }
    }

    func clearPending(_ ids: [ChangeID]) async throws {
        guard let newest = ids.max() else { return }
        try await database.run { connection in
            let names = ids.map(\.description)
            try connection.updateManyByPipeline(
                .events,
                where: {
                    // What is cleared is the oldest: this stretch of the index holds little else.
                    $0.document("pending_since") { $0.member("$lte", newest) }
                    $0.document("pending.id") { $0.array("$in", names) }
                }
            ) { stages in
                stages.document { $0.document("$set") { $0.document("pending") { Self.remaining(without: names, &$0) } } }
                // Where nothing stays pending, the fields go, and with them the document from the index.
                stages.document {
                    $0.document("$set") { set in
                        set.document("pending_since") { Self.unlessEmpty(&$0) { $0.document { $0.member("$min", "$pending.id") } } }
                        set.document("pending") { Self.unlessEmpty(&$0) { $0.element("$pending") } }
                    }
                }
            }
            try Self.removeTombstones(in: connection)
        }
    }

    private static func remaining(without ids: [String], _ writer: inout BSONWriter) {
        writer.document("$filter") {
            $0.member("input", "$pending")
            $0.document("cond") {
                $0.array("$not") {
                    $0.document {
                        $0.array("$in") {
                            $0.element("$$this.id")
                            $0.array { for id in ids { $0.element(id) } }
                        }
                    }
                }
            }
        }
    }

    private static func unlessEmpty(_ writer: inout BSONWriter, _ value: (inout BSONArrayWriter) -> Void) {
        writer.array("$cond") {
            $0.document {
                $0.array("$eq") {
                    $0.element("$pending")
                    $0.array { _ in }
                }
            }
            $0.element("$$REMOVE")
            value(&$0)
        }
    }

    /// Deleted events go when all their changes are published and their idempotency keys are past their time.
    static func removeTombstones(in connection: MongoConnection) throws {
        try connection.deleteMany(.events) {
            $0.member("is_deleted", true)
            $0.null("pending")
            $0.null("idempotency")
        }
    }

    func pendingStatus() async throws -> PendingStatus {
        try await database.run { connection in
            // What is pending is little, or there is trouble; beyond the bound its exact number tells no more.
            let documents = try connection.find(
                .events, where: Self.isPending,
                options: { options in
                    Self.oldestFirst(&options, limit: PageRequest.countLimit)
                    options.document("projection") {
                        $0.member("pending.id", 1)
                        $0.member("pending.timestamp", 1)
                    }
                }
            ) { reader in
                try reader.array("pending") { element -> Timestamp? in
                    var change = try element.nested()
                    return try change.date("timestamp")
                }
            }
            return PendingStatus(count: documents.reduce(0) { $0 + $1.count }, oldest: documents.first?.first)
        }
    }

    private static func isPending(_ writer: inout BSONWriter) {
        writer.document("pending_since") { $0.member("$gt", "") }
    }

    private static func oldestFirst(_ options: inout BSONWriter, limit: Int) {
        options.document("sort") { $0.member("pending_since", 1) }
        options.member("limit", limit)
        options.member("hint", "events_pending")
    }
}
