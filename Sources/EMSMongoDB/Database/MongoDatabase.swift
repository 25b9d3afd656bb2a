import EMSCore

/// The database of `ems` in one MongoDB; any number of processes may use it at once.
public struct MongoDatabase: Sendable {
    /// The servers, without user and password.
    public let servers: String
    public let name: String
    /// Refuses operations while the server does not answer.
    public let breaker: CircuitBreaker
    private let pool: MongoPool
    private let url: String

    /// Nothing is connected before the first operation.
    /// - Parameters:
    ///   - url: a connection string.
    ///   - name: the database, if it was chosen explicitly; `nil` for the one the string names.
    ///   - fallback: the database if neither names one.
    ///   - readLimit: how long the server may work on a read, of whoever serves many.
    /// - Throws: ``EMSError`` with ``ErrorCode/configuration``, also if the two name different ones.
    public init(url: String, name: String?, fallback: String = "event_management", readLimit: Duration? = nil) throws {
        let parsed = try MongoURL(url)
        if let name, let named = parsed.database, name != named {
            throw EMSError(
                .configuration,
                "db_name says \(Printable.quoted(name)), but mongodb_url names the database \(Printable.quoted(named))",
                fix: "remove one of them; the database of the user's log-in is authSource=\(named) in the URL")
        }
        try self.init(url: url, parsed: parsed, name: name ?? parsed.database ?? fallback, readLimit: readLimit)
    }

    private init(url: String, parsed: MongoURL, name: String, readLimit: Duration? = nil) throws {
        let isName = !name.isEmpty && name.utf8.count < 64 && !name.contains(where: { "/\\. \"$*<>:|?\0".contains($0) })
        guard isName else { throw EMSError(.configuration, "db_name \(Printable.quoted(name)) is no name for a database") }
        self.url = url
        self.name = name
        servers = parsed.servers
        pool = try MongoPool(parsed, database: name, readMilliseconds: readLimit.map { Int(max(1, min($0 / .milliseconds(1), 1e9))) })
        breaker = CircuitBreaker("MongoDB at \(parsed.servers)", width: parsed.connections)
    }

    /// The threads that wait for the server: a task that prefers them asks it without a hop to another thread.
    public var executor: any TaskExecutor { pool.workers }

    func run<Value: Sendable>(_ body: @escaping @Sendable (MongoConnection) throws -> Value) async throws -> Value {
        do {
            return try await breaker.run { try await pool.run(body) }
        } catch let duplicate as DuplicateKey {
            throw EMSError(.exists, "a document of this key exists already (\(duplicate.index))")
        }
    }

    /// Checks that the server answers.
    public func ping() async throws {
        try await run {
            try $0.command {
                $0.member("ping", 1)
            } reading: { _ in
            }
        }
    }

    /// Makes what a new or older database lacks: collections and indexes. Where nothing is to do, one look tells.
    /// - Throws: ``EMSError`` where a newer version made the database.
    public func prepare() async throws {
        let version = try await run { try Schema.version(in: $0) }
        try Schema.refuseNewer(version)
        if version < Schema.version { try await migrate() }
    }

    /// Gives space of a collection back to the disk: what readers and writers do meanwhile is up to the server
    /// (mongodb.com/docs/manual/reference/command/compact). On the primary of a replica set the server wants it forced.
    func compact(_ collection: Collection) async throws {
        let patient = try MongoDatabase(url: url, parsed: MongoURL(url, patient: true), name: name)
        try await patient.run { connection in
            guard try connection.first(collection, options: { $0.document("projection") { $0.member("_id", 1) } }, { _ in true }) != nil
            else {
                return
            }
            try connection.command {
                $0.member("compact", collection.rawValue)
                $0.member("force", true)
            } reading: { _ in
            }
        }
    }

    /// Makes all that is declared and missing, however long it takes.
    public func migrate() async throws {
        let patient = try MongoDatabase(url: url, parsed: MongoURL(url, patient: true), name: name)
        try await patient.run { try Schema.migrate($0) }
    }
}
