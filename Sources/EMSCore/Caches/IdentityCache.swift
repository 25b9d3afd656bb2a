import Synchronization

/// Whom tokens speak for, for as long as nothing has changed that decides it: the accounts and sessions of the store, the keys, the time.
final class IdentityCache: Sendable {
    typealias Identity = AuthenticationService.Identity

    /// How many tokens are kept.
    private static let limit = 20_000

    private struct Entry: Sendable {
        let identity: Identity
        let state: StoreState
        let keys: Int
        let times: Range<Timestamp>
    }

    private let watch: any StoreWatch
    private let entries = Mutex(RecentCache<String, Entry>(cost: limit))

    init(_ watch: any StoreWatch) {
        self.watch = watch
    }

    /// The state to which what is read from now on belongs.
    var state: StoreState? { watch.state(of: .identities) }

    /// - Parameter keys: which keys verify tokens by now.
    func identity(of token: String, keys: Int, at now: Timestamp) -> Identity? {
        guard let entry = entries.withLock({ $0.value(for: token) }), entry.keys == keys, entry.times.contains(now),
            let state, state == entry.state
        else { return nil }
        return entry.identity
    }

    /// - Parameters:
    ///   - state: as it was before the store was asked.
    ///   - times: when the token and its session are good.
    func keep(_ identity: Identity, of token: String, state: StoreState, keys: Int, times: Range<Timestamp>) {
        entries.withLock { $0.set(Entry(identity: identity, state: state, keys: keys, times: times), for: token) }
    }
}
