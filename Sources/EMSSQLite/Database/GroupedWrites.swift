import EMSCore
import GRDB
import Synchronization

/// Writes of a daemon that wait at the same time share a transaction, and with it the wait for the disk: each is a savepoint in it, and is
/// stored, or not, by itself. One that comes alone has a transaction of its own.
final class GroupedWrites: Sendable {
    /// How many share a transaction at most, which bounds how long the first of them waits for the others.
    private static let limit = 64

    private struct Write: Sendable {
        /// Runs the write; what it throws is kept for ``finish``.
        let run: @Sendable (Database) -> (any Error)?
        /// Tells the caller, once the transaction has ended: with its error, if it could not be stored.
        let finish: @Sendable ((any Error)?) -> Void
    }

    private struct State {
        var waiting: [Write] = []
        /// Whether the connection has been asked to take what waits.
        var isAsked = false
    }

    private let connection: any DatabaseWriter
    private let state = Mutex(State())

    init(_ connection: any DatabaseWriter) {
        self.connection = connection
    }

    /// - Throws: what `body` throws, or why the transaction could not be stored.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try Task.checkCancellation()
        return try await withCheckedThrowingContinuation { continuation in
            let outcome = Mutex<Result<Value, any Error>?>(nil)
            let write = Write(
                run: { db in
                    let result = Result { try body(db) }
                    outcome.withLock { $0 = result }
                    if case .failure(let error) = result { return error }
                    return nil
                },
                finish: { failure in
                    let result = outcome.withLock { $0 }
                    switch (failure, result) {
                    case (let failure?, _): continuation.resume(throwing: failure)
                    case (nil, let result?): continuation.resume(with: result)
                    case (nil, nil): continuation.resume(throwing: DatabaseError(message: "the write was not run"))
                    }
                })
            add(write)
        }
    }

    private func add(_ write: Write) {
        let isFirst = state.withLock { state in
            state.waiting.append(write)
            defer { state.isAsked = true }
            return !state.isAsked
        }
        if isFirst { ask() }
    }

    private func ask() {
        connection.asyncWriteWithoutTransaction { db in
            let (group, isMore) = self.state.withLock { state in
                let group = Array(state.waiting.prefix(Self.limit))
                state.waiting.removeFirst(group.count)
                state.isAsked = !state.waiting.isEmpty
                return (group, state.isAsked)
            }
            self.run(group, in: db)
            if isMore { self.ask() }
        }
    }

    private func run(_ group: [Write], in db: Database) {
        var culprit: (place: Int, error: any Error)?
        do {
            try db.inTransaction(.immediate) {
                for (place, write) in group.enumerated() {
                    guard let failure = Self.run(write, isAlone: group.count == 1, in: db) else { continue }
                    // A full disk, for one, takes back the whole transaction.
                    if group.count == 1 || failure.isBeyondRepair || !db.isInsideTransaction {
                        culprit = (place, failure.error)
                        throw failure.error
                    }
                }
                return .commit
            }
            for write in group { write.finish(nil) }
        } catch {
            // Of the others nothing is stored either: each is run again by itself.
            for (place, write) in group.enumerated() {
                if let culprit, culprit.place != place { run([write], in: db) } else { write.finish(error) }
            }
        }
    }

    private struct Failure {
        let error: any Error
        /// Whether something of the write may be left in the transaction.
        var isBeyondRepair = false
    }

    /// - Returns: why the write failed.
    private static func run(_ write: Write, isAlone: Bool, in db: Database) -> Failure? {
        if isAlone { return write.run(db).map { Failure(error: $0) } }
        var failure: (any Error)?
        do {
            try db.inSavepoint {
                failure = write.run(db)
                return failure == nil ? .commit : .rollback
            }
            return failure.map { Failure(error: $0) }
        } catch {
            return Failure(error: failure ?? error, isBeyondRepair: true)
        }
    }
}
