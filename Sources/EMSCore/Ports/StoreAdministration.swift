/// What an operator does with the store.
public protocol StoreAdministration: Sendable {
    /// Checks that the store answers.
    func ping() async throws
    func report() async throws -> StoreReport
    /// Makes what the store lacks: tables or collections, and indexes.
    /// - Returns: what was made; with `dryRun`, what would be.
    func migrate(dryRun: Bool) async throws -> [String]
    /// How many bytes the store occupies on its disk.
    func bytes() async throws -> Int64
    /// Gives space back to the disk that deleted data still occupies.
    func compact() async throws
}

/// How the store is.
public struct StoreReport: Sendable, Equatable {
    /// `sqlite` or `mongodb`.
    public let kind: String
    /// The file, or the servers without user and password.
    public let location: String
    public let version: String
    public let schemaVersion: Int
    public let latestSchemaVersion: Int
    /// The names of declared indexes that the store does not have.
    public let missingIndexes: [String]
    public let users: Int
    public let events: Int
    /// How many entries the journal has.
    public let journalEntries: Int
    /// How many bytes the store occupies on its disk.
    public let bytes: Int64
    /// What the server's clock shows; `nil` where there is no server.
    public let serverTime: Timestamp?
    /// Whether several members keep the data; `nil` where there is no server.
    public let isReplicated: Bool?

    public init(
        kind: String, location: String, version: String, schemaVersion: Int, latestSchemaVersion: Int, missingIndexes: [String], users: Int,
        events: Int, journalEntries: Int, bytes: Int64, serverTime: Timestamp? = nil, isReplicated: Bool? = nil
    ) {
        self.kind = kind
        self.location = location
        self.version = version
        self.schemaVersion = schemaVersion
        self.latestSchemaVersion = latestSchemaVersion
        self.missingIndexes = missingIndexes
        self.users = users
        self.events = events
        self.journalEntries = journalEntries
        self.bytes = bytes
        self.serverTime = serverTime
        self.isReplicated = isReplicated
    }
}
