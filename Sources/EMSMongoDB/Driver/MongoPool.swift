import CMongoC
import Dispatch
import EMSCore

/// The connections of this process to one MongoDB, and the threads that wait on them: libmongoc blocks, so that nothing of it runs on
/// the cooperative pool or an event loop.
///
/// A `mongoc_client_t` belongs to one thread at a time; `mongoc_client_pool_t` hands them out. There are as many threads as connections,
/// so that none waits for a connection.
final class MongoPool: @unchecked Sendable {
    // Sendable because mongoc_client_pool_t is thread-safe, and the read preferences are not changed after init.
    let servers: String
    private let pool: OpaquePointer
    private let readPreferences: MongoConnection.ReadPreferences
    private let database: String
    private let readMilliseconds: Int?
    /// Where a task is at home that asks the database often.
    let workers: WorkerPool
    private let url: MongoURL

    /// How many operations may wait for a thread; beyond that the answer is ``ErrorCode/busy``.
    private static let waitingOperations = 10_000

    /// Connects at the first operation, not here.
    /// - Throws: ``EMSError`` with ``ErrorCode/configuration`` where the pool cannot be made of the URL.
    init(_ url: MongoURL, database: String, readMilliseconds: Int?) throws {
        var error = bson_error_t()
        guard let pool = mongoc_client_pool_new_with_error(url.pointer, &error) else {
            throw EMSError(.configuration, "mongodb_url cannot be used: \(MongoFailure.message(error))", fix: "check its options")
        }
        mongoc_client_pool_set_error_api(pool, MONGOC_ERROR_API_VERSION_2)
        self.pool = pool
        self.url = url
        self.database = database
        self.readMilliseconds = readMilliseconds
        servers = url.servers
        readPreferences = MongoConnection.ReadPreferences(url)
        workers = WorkerPool(workers: url.connections, capacity: Self.waitingOperations)
    }

    deinit {
        // No work is running: every piece of it holds the pool. libmongoc's own threads take half a second to end, which nobody has to
        // wait for.
        let remains = Remains(pool: pool)
        DispatchQueue.global().async { mongoc_client_pool_destroy(remains.pool) }
    }

    private struct Remains: @unchecked Sendable {
        // Sendable because nobody else has the pool any more.
        let pool: OpaquePointer
    }

    /// Runs `body` on one of the threads, with a connection of its own.
    func run<Value: Sendable>(_ body: @escaping @Sendable (MongoConnection) throws -> Value) async throws -> Value {
        try await workers.run { [self] in
            guard let client = mongoc_client_pool_pop(pool) else {
                throw EMSError(.internal, "libmongoc gave no connection", fix: "please report it")
            }
            defer { mongoc_client_pool_push(pool, client) }
            return try body(
                MongoConnection(
                    client: client, database: database, servers: servers, readPreferences: readPreferences,
                    readMilliseconds: readMilliseconds))
        }
    }
}
