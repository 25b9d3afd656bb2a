import EMSCore

/// What operators do with MongoDB.
public struct MongoAdministration: StoreAdministration {
    private let database: MongoDatabase

    public init(database: MongoDatabase) {
        self.database = database
    }

    public func ping() async throws { try await database.ping() }

    public func report() async throws -> StoreReport {
        let name = "\(database.servers)/\(database.name)"
        return try await database.run { connection in
            let server = try connection.command {
                $0.member("buildInfo", 1)
            } reading: {
                try $0.text("version")
            }
            let (time, set) = try connection.command {
                $0.member("hello", 1)
            } reading: {
                (try $0.date("localTime"), try $0.optionalText("setName"))
            }
            return StoreReport(
                kind: "mongodb", location: name, version: server, schemaVersion: try Schema.version(in: connection),
                latestSchemaVersion: Schema.version, missingIndexes: try Schema.missing(in: connection).map(\.name),
                users: try connection.recordedCount(.users), events: try connection.recordedCount(.events),
                journalEntries: try connection.recordedCount(.journal),
                bytes: try Self.bytes(in: connection), serverTime: time,
                isReplicated: set != nil)
        }
    }

    public func bytes() async throws -> Int64 { try await database.run { try Self.bytes(in: $0) } }

    private static func bytes(in connection: MongoConnection) throws -> Int64 {
        try connection.command {
            $0.member("dbStats", 1)
        } reading: {
            // Of data and indexes, as they are on the disk.
            let (storage, indexes) = (try $0.counter("storageSize"), try $0.counter("indexSize"))
            return storage + indexes
        }
    }

    public func compact() async throws {
        for collection in Collection.allCases { try await database.compact(collection) }
    }

    public func migrate(dryRun: Bool) async throws -> [String] {
        let (version, missing) = try await database.run {
            (try Schema.version(in: $0), try Schema.missing(in: $0).map(\.name))
        }
        try Schema.refuseNewer(version)
        if !dryRun, !missing.isEmpty || version < Schema.version { try await database.migrate() }
        return missing.map { "index \($0)" }
    }
}
