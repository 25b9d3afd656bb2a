import EMSCore

/// The ports' writes by an operator, where it does not matter whose they are.
extension Samples {
    public static let author = Author(Actor(kind: .operator, id: "operator:root", name: "operator:root"), via: ChangeSource(.cli))
}

extension UserStore {
    public func insert(_ user: User, passwordHash: String) async throws {
        try await insert(user, passwordHash: passwordHash, by: Samples.author)
    }

    public func insert(_ batch: [(user: User, passwordHash: String)]) async throws -> [Int: EMSError] {
        try await insert(batch, by: Samples.author)
    }

    public func change(_ id: UserID, _ change: UserChange, at now: Timestamp) async throws -> User {
        try await self.change(id, change, by: Samples.author, at: now)
    }

    public func setPasswordHash(_ hash: String, of id: UserID, expecting version: Int64?, at now: Timestamp) async throws {
        try await setPasswordHash(hash, of: id, expecting: version, by: Samples.author, at: now)
    }

    public func delete(id: UserID, at now: Timestamp) async throws -> Bool {
        try await delete(id: id, erasing: false, by: Samples.author, at: now)
    }
}

extension TokenStore {
    public func open(_ session: Session, refreshToken: RefreshTokenRecord?, verified version: Int64) async throws -> Bool {
        try await open(session, refreshToken: refreshToken, verified: version, by: Samples.author)
    }

    public func rotate(
        _ digest: [UInt8], to successor: RefreshTokenRecord, nonce: [UInt8], at now: Timestamp
    ) async throws -> RotationOutcome {
        try await rotate(digest, to: successor, nonce: nonce, via: ChangeSource(.http), at: now)
    }

    public func end(_ id: SessionID, at now: Timestamp) async throws -> Bool {
        try await end(id, by: Samples.author, at: now)
    }

    public func endAll(of user: UserID, except: SessionID?, at now: Timestamp) async throws -> Int {
        try await endAll(of: user, except: except, by: Samples.author, at: now)
    }
}
