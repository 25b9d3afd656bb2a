/// Hashes and checks passwords on a small pool of its own, so that log-ins cannot starve anything else.
public final class PasswordHasher: Sendable {
    public static let costRange = 4...20
    /// How many may wait.
    public static let usualCapacity = 64

    private let cost: Int
    private let pool: WorkerPool
    /// - Parameters:
    ///   - cost: the base-2 logarithm of bcrypt's rounds.
    ///   - workers: how many hashes are computed at once.
    ///   - capacity: how many may wait before further ones are refused with ``ErrorCode/busy``.
    public init(cost: Int, workers: Int = 2, capacity: Int = usualCapacity) {
        self.cost = cost
        pool = WorkerPool(workers: workers, capacity: capacity)
    }

    public func hash(_ password: String) async throws -> String {
        try await pool.run { [cost] in try BCrypt.hash(password, cost: cost) }
    }

    /// Whether the password has the hash. Without a hash (there is no such user) it does the same work and answers `false`.
    public func verify(_ password: String, against hash: String?) async throws -> Bool {
        // Longer ones cannot be anybody's password; bcrypt would compare their beginnings.
        let isPossible = password.utf8.count <= UserRules.passwordByteLimit && !password.utf8.contains(0)
        let candidate = isPossible ? password : ""
        return try await pool.run { [cost] in
            let matches = BCrypt.verify(candidate, hash: try hash ?? BCrypt.decoy(cost: cost))
            return matches && hash != nil && isPossible
        }
    }
}
