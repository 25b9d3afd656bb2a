/// What names there are that begin so: for those who type them. Each answer comes from a stretch of one index.
public struct CompletionService: Sendable {
    private let stores: Stores

    public init(stores: Stores) {
        self.stores = stores
    }

    public func eventIDs(_ prefix: String, limit: Int) async throws -> [String] {
        let digits = prefix.lowercased()
        guard digits.utf8.count <= 32, digits.allSatisfy(\.isHexDigit) else { return [] }
        return try await stores.events.ids(beginningWith: digits, limit: limit).map(\.description)
    }

    public func usernames(_ prefix: String, limit: Int) async throws -> [String] {
        try await stores.users.usernames(beginningWith: prefix, limit: limit)
    }

    public func tags(_ prefix: String, limit: Int) async throws -> [String] {
        try await stores.events.tags(beginningWith: EventRules.canonicalTag(prefix), limit: limit)
    }
}
