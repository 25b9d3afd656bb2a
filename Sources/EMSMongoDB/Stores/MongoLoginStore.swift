import EMSCore

/// One document for each account: what it counts changes by comparing and setting (`version`), so that no attempt is lost.
struct MongoLoginStore: LoginStore {
    let database: MongoDatabase

    private struct Stored {
        let failures: LoginFailures?
        let isKnownAddress: Bool
        let version: Int64
    }

    func begin(_ account: String, from address: String, at now: Timestamp) async throws -> LoginAdmission {
        try await database.run { connection in
            while true {
                let stored = try Self.stored(account, address, at: now, in: connection)
                if stored?.isKnownAddress == true { return .admitted }
                if let failures = stored?.failures, failures.isLocked(at: now) { return .locked(until: failures.lockedUntil) }
                let count = (stored?.failures?.count ?? 0) + 1
                if try Self.store(count, from: address, of: account, after: stored?.version, at: now, in: connection) { return .admitted }
            }
        }
    }

    /// - Returns: `false` if another attempt was counted in the meantime.
    private static func store(
        _ count: Int, from address: String, of account: String, after version: Int64?, at now: Timestamp, in connection: MongoConnection
    ) throws -> Bool {
        func fields(_ writer: inout BSONWriter) {
            writer.member("failures", count)
            writer.member("last_failure_at", now)
            writer.member("last_address", address)
            writer.member("locked_until", now.adding(seconds: LoginDelay.seconds(after: count)))
            writer.member("version", (version ?? 0) + 1)
        }
        guard let version else {
            do {
                try connection.insert(
                    .logins,
                    BSONDocument {
                        $0.member("_id", account)
                        fields(&$0)
                        $0.member("expires_at", now.adding(seconds: LoginDelay.memorySeconds))
                    })
                return true
            } catch is DuplicateKey {
                return false
            }
        }
        let result = try connection.updateOne(
            .logins,
            where: {
                $0.member("_id", account)
                $0.member("version", version)
            },
            { update in
                update.document("$set", fields)
                // A document that holds no address is removed when its failures are forgotten.
                update.document("$max") { $0.member("expires_at", now.adding(seconds: LoginDelay.memorySeconds)) }
            })
        return result.matched > 0
    }

    func succeed(_ account: String, from address: String, at now: Timestamp) async throws {
        try await database.run { connection in
            // Removed and added again, so that it is the last one; those that were used longest ago go first.
            try connection.updatedByPipeline(.logins, where: { $0.member("_id", account) }) { stages in
                stages.document { stage in
                    stage.document("$set") { set in
                        set.document("addresses") { addresses in
                            addresses.array("$slice") { slice in
                                slice.document { Self.addresses(adding: address, &$0) }
                                slice.element(Int64(-LoginDelay.addressLimit))
                            }
                        }
                        set.document("version") {
                            $0.array("$add") {
                                $0.document {
                                    $0.array("$ifNull") {
                                        $0.element("$version")
                                        $0.element(Int64(0))
                                    }
                                }
                                $0.element(Int64(1))
                            }
                        }
                        set.member("expires_at", Timestamp.latest)
                    }
                }
                stages.document { stage in
                    stage.array("$unset", ["failures", "last_failure_at", "last_address", "locked_until"])
                }
            } reading: { _ in
            }
        }
    }

    private static func addresses(adding address: String, _ writer: inout BSONWriter) {
        writer.array("$concatArrays") { lists in
            lists.document { list in
                list.document("$filter") { filter in
                    filter.document("input") {
                        $0.array("$ifNull") {
                            $0.element("$addresses")
                            $0.array { _ in }
                        }
                    }
                    filter.document("cond") {
                        $0.array("$ne") {
                            $0.element("$$this")
                            $0.document { $0.member("$literal", address) }
                        }
                    }
                }
            }
            lists.array { one in one.document { $0.member("$literal", address) } }
        }
    }

    func failures(of account: String, at now: Timestamp) async throws -> LoginFailures? {
        try await database.run { try Self.stored(account, "", at: now, in: $0)?.failures }
    }

    func clear(_ account: String) async throws -> Bool {
        try await database.run { connection in
            try connection.updateOne(
                .logins,
                where: {
                    $0.member("_id", account)
                    $0.document("failures") { $0.member("$gt", 0) }
                },
                { update in
                    update.document("$unset") { unset in
                        for field in ["failures", "last_failure_at", "last_address", "locked_until"] { unset.member(field, "") }
                    }
                    update.document("$inc") { $0.member("version", 1) }
                }
            ).matched > 0
        }
    }

    private static func stored(
        _ account: String, _ address: String, at now: Timestamp, in connection: MongoConnection
    ) throws -> Stored? {
        try connection.first(.logins, where: { $0.member("_id", account) }) { reader in
            let addresses = try reader.array("addresses") { $0.text }
            var failures: LoginFailures?
            if let last = try reader.optionalDate("last_failure_at"), last > now.adding(seconds: -LoginDelay.memorySeconds) {
                failures = LoginFailures(
                    count: Int(try reader.counter("failures")), last: last, lastAddress: try reader.text("last_address"),
                    lockedUntil: try reader.date("locked_until"))
            }
            return Stored(failures: failures, isKnownAddress: addresses.contains(address), version: try reader.counter("version"))
        }
    }
}
