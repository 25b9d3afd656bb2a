@testable import EMSMongoDB
import EMSCore
import NIOConcurrencyHelpers
import StoreConformance
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The MongoDB that the tests use: `scripts/services run` says where it is.
enum TestServer {
    static let url = ProcessInfo.processInfo.environment["EMS_TEST_MONGODB_URL"]
    static let standaloneURL = ProcessInfo.processInfo.environment["EMS_TEST_MONGODB_STANDALONE_URL"]
    static let isHere: Bool = url != nil
    static let hint: Comment = "needs a MongoDB: run the tests with `make test` or `scripts/services run swift test`"
}

/// Databases for one test at a time. Making one takes longer than most tests: they are emptied and used again.
final class TestDatabases: Sendable {
    static let replicaSet = TestDatabases(TestServer.url ?? "")
    static let standalone = TestDatabases(TestServer.standaloneURL ?? "")

    private let url: String
    private let free = NIOLockedValueBox<[MongoBackend]>([])
    private let turnstile = Turnstile(width: 4)

    private init(_ url: String) {
        self.url = url
    }

    /// Runs `body` on an empty database, and then looks at everything the server did for it.
    func withBackend(_ body: (MongoBackend) async throws -> Void) async throws {
        await turnstile.enter()
        defer { turnstile.leave() }
        let backend = try await take()
        try await Profile.begin(on: backend.database)
        try await body(backend)
        try await Profile.expectOnlyIndexes(on: backend.database)
        try await backend.database.run { connection in
            for collection in Collection.allCases where collection != .meta { try connection.deleteMany(collection) { _ in } }
        }
        free.withLockedValue { $0.append(backend) }
    }

    private func take() async throws -> MongoBackend {
        if let backend = free.withLockedValue({ $0.popLast() }) { return backend }
        let backend = MongoBackend(database: try MongoDatabase(url: url, name: "ems_test_\(ID<TestDatabases>())"))
        try await backend.database.prepare()
        return backend
    }
}

/// The server's own record of what it did (mongodb.com/docs/manual/tutorial/manage-the-database-profiler): the plan of every query.
enum Profile {
    static func begin(on database: MongoDatabase) async throws {
        try await set(0, on: database)
        try? await database.run {
            try $0.command {
                $0.member("drop", "system.profile")
            } reading: { _ in
            }
        }
        try await database.run {
            try $0.command {
                $0.member("create", "system.profile")
                $0.member("capped", true)
                $0.member("size", 64 << 20)
            } reading: { _ in
            }
        }
        try await set(2, on: database)
    }

    /// Expects that no query went through a whole collection or sorted in memory.
    static func expectOnlyIndexes(on database: MongoDatabase) async throws {
        try await set(0, on: database)
        let (operations, bad) = try await database.run { connection in
            let operations = try connection.command {
                $0.member("count", "system.profile")
            } reading: {
                try $0.integer("n")
            }
            let bad = try connection.command {
                $0.member("find", "system.profile")
                $0.document("filter") {
                    $0.array("$or") {
                        $0.document { $0.member("planSummary", "COLLSCAN") }
                        $0.document {
                            $0.member("hasSortStage", true)
                            $0.document("command.comment") { $0.member("$ne", EventSearch.sortedCandidates) }
                        }
                    }
                }
            } reading: { reply in
                var cursor = try reply.document("cursor")
                return try cursor.array("firstBatch") { element in
                    var operation = try element.nested()
                    let namespace = try operation.text("ns")
                    let command = try operation.find("command")?.document().bytes ?? []
                    // The tests' own looks at the profile are none of the stores' queries.
                    return namespace.hasSuffix("system.profile") ? "" : "\(namespace): \(String(decoding: command, as: UTF8.self))"
                }.filter { !$0.isEmpty }
            }
            return (operations, bad)
        }
        #expect(operations > 0, "the profiler recorded nothing")
        #expect(bad.isEmpty, "without an index, or sorted in memory")
    }

    private static func set(_ level: Int, on database: MongoDatabase) async throws {
        try await database.run {
            try $0.command {
                $0.member("profile", level)
            } reading: { _ in
            }
        }
    }
}
