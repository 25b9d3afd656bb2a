import EMSCore

/// Exact over every window: the attempts of a key are one document, which one atomic update reads and writes. MongoDB removes it when
/// its last attempt is too old to matter.
struct MongoRateLimitStore: RateLimitStore {
    let database: MongoDatabase

    func attempt(_ key: String, limit: Int, window: Int64, at now: Timestamp) async throws -> RateAllowance {
        try await database.run { connection in
            while true {
                do {
                    return try Self.attempt(key, limit: limit, window: window, at: now, in: connection)
                } catch is DuplicateKey {
                    // Two made the document at once: it is there now.
                }
            }
        }
    }

    private static func attempt(
        _ key: String, limit: Int, window: Int64, at now: Timestamp, in connection: MongoConnection
    ) throws -> RateAllowance {
        // Tells from the answer whether it was this attempt that was counted.
        let name = ID<MongoRateLimitStore>().description
        let start = now.adding(seconds: -window)
        let (counted, attempts) = try connection.updatedByPipeline(.rateLimits, where: { $0.member("_id", key) }) { stages in
            stages.document {
                $0.document("$set") { $0.document("attempts") { recent(since: start, until: now.adding(seconds: window), &$0) } }
            }
            stages.document {
                $0.document("$set") {
                    $0.document("passes") {
                        $0.array("$lt") {
                            $0.document { $0.member("$size", "$attempts") }; $0.element(Int64(limit))
                        }
                    }
                }
            }
            stages.document {
                $0.document("$set") { set in
                    set.document("attempts") {
                        choose(
                            &$0,
                            then: {
                                $0.document {
                                    $0.array("$concatArrays") {
                                        $0.element("$attempts"); $0.array { $0.element(now) }
                                    }
                                }
                            }, otherwise: { $0.element("$attempts") })
                    }
                    set.document("last") { choose(&$0, then: { $0.element(name) }, otherwise: { $0.element("$last") }) }
                    set.document("expires_at") {
                        choose(&$0, then: { $0.element(now.adding(seconds: window)) }, otherwise: { $0.element("$expires_at") })
                    }
                }
            }
            stages.document { $0.member("$unset", "passes") }
        } reading: { reader in
            (try reader.text("last") == name, try reader.array("attempts") { $0.date })
        }
        return RateAllowance(limit: limit, window: window, counted: attempts, isGranted: counted, at: now)
    }

    private static func recent(since start: Timestamp, until end: Timestamp, _ writer: inout BSONWriter) {
        writer.document("$filter") {
            $0.document("input") {
                $0.array("$ifNull") {
                    $0.element("$attempts"); $0.array { _ in }
                }
            }
            $0.document("cond") {
                $0.array("$and") {
                    $0.document {
                        $0.array("$gt") {
                            $0.element("$$this"); $0.element(start)
                        }
                    }
                    // What a clock that was ahead has counted says nothing about now.
                    $0.document {
                        $0.array("$lte") {
                            $0.element("$$this"); $0.element(end)
                        }
                    }
                }
            }
        }
    }

    private static func choose(
        _ writer: inout BSONWriter, then: (inout BSONArrayWriter) -> Void, otherwise: (inout BSONArrayWriter) -> Void
    ) {
        writer.array("$cond") {
            $0.element("$passes")
            then(&$0)
            otherwise(&$0)
        }
    }
}
