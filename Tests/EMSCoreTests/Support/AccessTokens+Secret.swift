import EMSCore

extension AccessTokens {
    /// With one key of HS256.
    convenience init(secret: String) async throws {
        try await self.init(algorithm: .hs256) { [try TokenKey(secret: secret)] }
    }
}
