import EMSCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Where the keys that sign access tokens come from, and how new ones are made.
extension Settings {
    /// All keys of the algorithm, the one that signs first. The embedded store makes one where there is none; with MongoDB, whose daemons
    /// run on several machines, all must be given the same.
    public func tokenKeys() throws -> [TokenKey] {
        algorithm.isAsymmetric ? try keysOfDirectory() : try secrets().map { try TokenKey(secret: $0) }
    }

    /// Where the signing key comes from: `SECRET_KEY` or a path.
    public var tokenKeySource: String {
        if algorithm.isAsymmetric { return keyDirectory ?? "key_dir" }
        return secretKey == nil ? secretKeyPath : "SECRET_KEY"
    }

    /// Makes a new key, which signs from now on; those before go on verifying.
    /// - Returns: the new key.
    /// - Throws: ``EMSError`` with ``ErrorCode/configuration`` where the key is the configuration's own.
    public func rotateTokenKey() throws -> TokenKey {
        guard !algorithm.isAsymmetric else { return try makeKey(in: requiredKeyDirectory()) }
        guard secretKey == nil, store == .embedded else {
            throw EMSError(
                .configuration, "the signing key is set by SECRET_KEY, which only you can change",
                fix: "set SECRET_KEY_PREVIOUS to the present key and SECRET_KEY to a new one (openssl rand -hex 32), on all machines")
        }
        _ = try secrets()
        let secret = SecureRandom.hex(32)
        try PrivateFile.replace(secretKeyPath, secret + "\n", keeping: secretKeyPath + ".previous")
        return try TokenKey(secret: secret)
    }

    /// Removes a key: the tokens it signed are not valid any more.
    /// - Throws: ``EMSError`` with ``ErrorCode/notFound``; with ``ErrorCode/usage`` for the key that signs.
    public func removeTokenKey(_ id: String) throws {
        let keys = try tokenKeys()
        guard let index = keys.firstIndex(where: { $0.id == id }) else { throw EMSError.notFound("key", id) }
        guard index > 0 else {
            throw EMSError(.usage, "the key \(id) signs the tokens of now", fix: "make another first: ems token keys rotate")
        }
        if !algorithm.isAsymmetric, secretKeyPrevious != nil {
            throw EMSError(.configuration, "the key is set by SECRET_KEY_PREVIOUS", fix: "unset it")
        }
        let path = try algorithm.isAsymmetric ? "\(requiredKeyDirectory())/\(id).pem" : secretKeyPath + ".previous"
        try FileManager.default.removeItem(atPath: path)
    }

    // MARK: HS256

    private func secrets() throws -> [String] {
        if let secretKey { return [secretKey] + [secretKeyPrevious].compactMap(\.self) }
        guard store == .embedded else {
            throw EMSError(
                .configuration, "with MongoDB, secret_key must be set: the same for all daemons", fix: "make one with: openssl rand -hex 32"
            )
        }
        let current: String
        if let known = try secret(secretKeyPath) {
            current = known
        } else {
            _ = try PrivateFile.create(secretKeyPath, SecureRandom.hex(32) + "\n")
            // This process' own, or that of another that was quicker.
            guard let made = try secret(secretKeyPath) else { throw EMSError(.configuration, "the key \(secretKeyPath) has vanished") }
            current = made
        }
        return [current] + [try secretKeyPrevious ?? secret(secretKeyPath + ".previous")].compactMap(\.self)
    }

    private func secret(_ path: String) throws -> String? {
        guard let key = try PrivateFile.read(path)?.filter({ !$0.isWhitespace }) else { return nil }
        guard key.utf8.count >= TokenKey.minimumSecretBytes else {
            throw EMSError(
                .configuration, "the key \(path) is too short", fix: "remove the file (all tokens end), or set SECRET_KEY")
        }
        return key
    }

    // MARK: RS256, ES256, EdDSA

    private func requiredKeyDirectory() throws -> String {
        guard let keyDirectory else {
            throw EMSError(
                .configuration, "with MongoDB and \(algorithm.rawValue), key_dir must be set: with the same files for all daemons",
                fix: "set EMS_KEY_DIR, and make a key there with: ems token keys rotate")
        }
        return keyDirectory
    }

    /// The names are time-ordered, so that the last one is the newest.
    private func keysOfDirectory() throws -> [TokenKey] {
        let directory = try requiredKeyDirectory()
        let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let ids = files.filter { $0.hasSuffix(".pem") }.map { String($0.dropLast(4)) }.sorted(by: >)
        let keys = try ids.compactMap { id in
            try PrivateFile.read("\(directory)/\(id).pem").map { try TokenKey(id: id, pem: $0, algorithm: algorithm) }
        }
        if !keys.isEmpty { return keys }
        guard store == .embedded else {
            throw EMSError(
                .configuration, "there is no key in \(directory)", fix: "make one with: ems token keys rotate, and copy it to all machines")
        }
        return [try makeKey(in: directory)]
    }

    private func makeKey(in directory: String) throws -> TokenKey {
        let id = ID<TokenKey>().description
        let pem = try TokenKey.makePEM(algorithm)
        _ = try PrivateFile.create("\(directory)/\(id).pem", pem.hasSuffix("\n") ? pem : pem + "\n")
        return try TokenKey(id: id, pem: pem, algorithm: algorithm)
    }
}
