import EMSCore

/// A document for each report, among the database's others about itself.
struct MongoConsumerStore: ConsumerStore {
    let database: MongoDatabase

    private static let prefix = "consumer:"
    /// What comes after every id with the prefix.
    private static let end = "consumer;"

    private static func pauseID(_ consumer: Consumer) -> String { "paused:\(consumer.name)" }

    func isPaused(_ consumer: Consumer) async throws -> Bool {
        try await database.run { try $0.exists(.meta) { $0.member("_id", Self.pauseID(consumer)) } }
    }

    func setPaused(_ consumer: Consumer, _ isPaused: Bool) async throws -> Bool {
        try await database.run { connection in
            let id = Self.pauseID(consumer)
            guard isPaused else { return try connection.deleteMany(.meta) { $0.member("_id", id) } > 0 }
            do {
                try connection.insert(
                    .meta,
                    BSONDocument {
                        $0.member("_id", id)
                        $0.member("paused_at", Timestamp.now())
                    })
                return true
            } catch is DuplicateKey {
                return false
            }
        }
    }

    /// Consumers read from RabbitMQ here.
    func setBack(_ consumer: Consumer, to position: Int64) async throws {}

    func lag(of consumer: Consumer) async throws -> PendingStatus { PendingStatus(count: 0, oldest: nil) }

    func unsignedMessagesEnd() async throws -> Timestamp? {
        try await database.run { try Schema.unsignedMessagesEnd(in: $0) }
    }

    func save(_ report: ConsumerReport) async throws {
        try await database.run { connection in
            try connection.deleteMany(.meta) {
                Self.isReport(&$0)
                $0.document("reported_at") {
                    $0.member("$lt", report.reportedAt.adding(seconds: -ConsumerReport.lifetimeSeconds))
                }
            }
            let id = Self.prefix + report.process
            try connection.replaceOne(
                .meta, where: { $0.member("_id", id) },
                BSONDocument {
                    $0.member("_id", id)
                    $0.member("unacknowledged", report.unacknowledged)
                    $0.member("failing_since", report.failingSince)
                    $0.member("failure", report.failure)
                    $0.member("reported_at", report.reportedAt)
                }, upsert: true)
        }
    }

    func removeReport(of process: String) async throws {
        try await database.run { connection in
            _ = try connection.deleteMany(.meta) { $0.member("_id", Self.prefix + process) }
        }
    }

    func reports(since moment: Timestamp) async throws -> [ConsumerReport] {
        try await database.run { connection in
            try connection.find(
                .meta,
                where: {
                    Self.isReport(&$0)
                    $0.document("reported_at") { $0.member("$gte", moment) }
                }, options: { options in options.document("sort") { $0.member("_id", 1) } }
            ) {
                ConsumerReport(
                    process: String(try $0.text("_id").dropFirst(Self.prefix.count)), unacknowledged: Int(try $0.counter("unacknowledged")),
                    failingSince: try $0.date("failing_since"), failure: try $0.text("failure"), reportedAt: try $0.date("reported_at"))
            }
        }
    }

    func lastRecordedAt() async throws -> Timestamp? {
        try await database.run { connection in
            try connection.first(
                .notifications, where: { $0.document("recorded_at") { $0.member("$exists", true) } },
                options: { options in options.document("sort") { $0.member("_id", -1) } }
            ) { try $0.date("recorded_at") }
        }
    }

    private static func isReport(_ filter: inout BSONWriter) {
        filter.document("_id") {
            $0.member("$gte", prefix)
            $0.member("$lt", end)
        }
    }
}
