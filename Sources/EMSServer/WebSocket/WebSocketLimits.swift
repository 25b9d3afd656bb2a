import EMSCore
import NIOConcurrencyHelpers

/// Bounds how many WebSocket connections of one user, and of one address, are open at once at this daemon.
final class WebSocketLimits: Sendable {
    private let perUser: Int
    private let perAddress: Int
    private let counts = NIOLockedValueBox<[String: Int]>([:])

    init(perUser: Int, perAddress: Int) {
        self.perUser = perUser
        self.perAddress = perAddress
    }

    /// A place for one connection, which is free again when nobody holds it.
    final class Place: Sendable {
        private let leave: @Sendable () -> Void

        fileprivate init(_ leave: @escaping @Sendable () -> Void) {
            self.leave = leave
        }

        deinit { leave() }
    }

    /// - Throws: ``EMSError`` with ``ErrorCode/rateLimited`` if there are too many.
    func enter(_ user: UserID, _ address: NetworkAddress) throws -> Place {
        let keys = ["user \(user)", "address \(address.limitKey)"]
        try counts.withLockedValue { counts in
            try check(keys, counts)
            for key in keys { counts[key, default: 0] += 1 }
        }
        return Place { [self] in
            counts.withLockedValue { counts in
                for key in keys {
                    let rest = counts[key, default: 1] - 1
                    counts[key] = rest > 0 ? rest : nil
                }
            }
        }
    }

    /// - Throws: what ``enter(_:_:)`` would throw.
    func check(_ user: UserID, _ address: NetworkAddress) throws {
        try counts.withLockedValue { try check(["user \(user)", "address \(address.limitKey)"], $0) }
    }

    private func check(_ keys: [String], _ counts: [String: Int]) throws {
        for (key, limit, holder) in [(keys[0], perUser, "user"), (keys[1], perAddress, "address")] where counts[key, default: 0] >= limit {
            throw EMSError(
                .rateLimited, "this \(holder) has \(limit) WebSocket connections already", fix: "close some of them first", retryAfter: 60)
        }
    }
}
